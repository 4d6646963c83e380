"""The laws of synthetic values: nothing of an amount goes in, everything of the structure stays, and the check can tell."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structures import LAST, records_like

from sanitizer.check import looked_at
from sanitizer.scrub import Scrubbed, again, scrub
from sanitizer.values.amounts import AMOUNTS, SEGMENTS, SETTINGS
from tandem.bff import events_from_records, records_from_events
from tandem.endpoints import locate
from tandem.records import Records, layout
from tfx.capture import Capture
from tfx.cassette import Cassette
from tfx.codec import decoded, encoded
from tfx.errors import UsageError
from tfx.exchange import Exchange
from tfx.jsonbody import Json
from tfx.store import dumps, loads

pytestmark = pytest.mark.slow  # each example is a whole session

Session = Callable[..., Capture]
Done = Callable[..., Scrubbed]
Build = Callable[..., Capture]
Object = dict[str, Json]

ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
LOGS = f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ID}"
EVENTS_URL = f"https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/{ID}/378904"
ERAS = ("2025", "2026-10")
NOT_GIVEN = "an amount that the structure does not give, on a cassette that says its values are synthetic"


# --- two captures of one structure


@settings(max_examples=4)  # a hundred in tests/proofs
@given(structure=st.integers(0, 10_000), amounts=st.integers(0, 10_000), count=st.integers(1, 40))
def test_captures_that_differ_in_amounts_alone_give_the_same_bytes(capture: Build, structure: int, amounts: int, count: int) -> None:
    for era in ERAS:
        made = []
        for seed in (amounts, amounts + 1):
            records = records_like(structure, seed, count)
            if era == "2025":
                taken = capture(EVENTS_URL, answer=records.to_body(), era=era)
            else:
                listed = events_from_records(records, device_assignment_id=ID)
                taken = capture(LOGS, answer=json.dumps({"events": listed, "clockChanges": []}).encode())
            made.append(scrub(taken, name="x", values="synthetic").cassette)
        assert dumps(made[0]) == dumps(made[1])
        assert looked_at(made[0]) == ()
        assert dumps(again(made[0]).cassette) == dumps(made[0])


def only_answer(taken: Capture, values: str) -> bytes:
    return scrub(taken, name="x", values=values).cassette.exchanges[0].response.body


@settings(max_examples=6)  # a hundred in tests/proofs
@given(structure=st.integers(0, 10_000), count=st.integers(1, 40))
def test_only_amounts_are_touched_and_both_wires_tell_the_same(capture: Build, structure: int, count: int) -> None:
    records = records_like(structure, 1, count)
    listed = json.dumps({"events": events_from_records(records, device_assignment_id=ID), "clockChanges": []}).encode()
    binary = capture(EVENTS_URL, answer=records.to_body(), era="2025")
    kept, made = (Records.from_body(only_answer(binary, values)) for values in ("keep", "synthetic"))
    written = records_from_events(json.loads(only_answer(capture(LOGS, answer=listed), "synthetic"))["events"])
    assert (kept.rows[:, :10] == made.rows[:, :10]).all(), "codes, times and numbers stay"
    for code, which, chosen in made.groups():
        before, after = kept.take(which).columns(code), chosen.columns(code)
        for name in before:
            assert name in AMOUNTS[code] or before[name].tobytes() == after[name].tobytes()
    for code, which, chosen in made.groups():
        both = chosen.columns(code), written.take(which).columns(code)
        assert {name: both[0][name].tolist() for name in AMOUNTS[code]} == {name: both[1][name].tolist() for name in AMOUNTS[code]}


# --- whole sessions


def disturbed(capture: Capture) -> Capture:
    """The same session with every setting another: amounts of the account's answers, padding left alone."""
    return replace(capture, exchanges=tuple(map(_disturbed, capture.exchanges)))


def _disturbed(exchange: Exchange) -> Exchange:
    place = locate(exchange.request.method, exchange.request.url)
    if place is None or place.endpoint.name not in SETTINGS:
        return exchange
    value = json.loads(decoded(exchange.response.headers, exchange.response.body))
    changed = list(_amounts_plus_one(value, SETTINGS[place.endpoint.name]))
    assert changed
    body = encoded(exchange.response.headers, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
    return exchange.replacing(response=replace(exchange.response, body=body))


def _amounts_plus_one(value: Json, table: Mapping[str, int], place: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            if not (place.endswith(SEGMENTS) and index and cast("Object", item)["startTime"] == 0):
                yield from _amounts_plus_one(item, table, f"{place}[]")
    elif isinstance(value, dict):
        for key, item in value.items():
            where = f"{place}.{key}".removeprefix(".")
            if where in table and type(item) is int:
                value[key] = item + 1
                yield where
            else:
                yield from _amounts_plus_one(item, table, where)


@pytest.mark.parametrize("era", ERAS)
def test_a_session_is_synthetic_clean_and_its_own_cassette(session: Session, scrubbed: Done, era: str) -> None:
    capture = session(era)
    made = scrub(capture, name="x", values="synthetic").cassette
    assert made.values == "synthetic"
    assert looked_at(made) == ()
    assert dumps(again(loads(dumps(made), "x.json")).cassette) == dumps(made)
    assert dumps(scrub(disturbed(capture), name="x", values="synthetic").cassette) == dumps(made), "other settings, same cassette"
    assert dumps(scrub(disturbed(capture), name="x").cassette) != dumps(scrubbed(era).cassette)
    kept = loads(dumps(scrubbed(era).cassette), "x.json")
    before = dumps(kept)
    assert dumps(again(kept, "synthetic").cassette) == dumps(made), "later is as good as at once"
    assert dumps(kept) == before, "nothing is written into what was given"
    assert not set(kept.rules) & {"glucose", "insulin", "setting"}
    assert {"glucose", "insulin", "carbohydrate", "signal", "setting"} <= set(made.rules)


def test_what_was_synthetic_is_never_called_kept(session: Session) -> None:
    made = scrub(session(), name="x", values="synthetic").cassette
    with pytest.raises(UsageError, match="recorded ones are gone"):
        again(made, "keep")


def test_windows_in_any_order_and_overlapping_tell_what_one_window_tells(session: Session, capture: Build) -> None:
    events = json.loads(decoded((last := session().exchanges[-1].response).headers, last.body))["events"]
    middle = len(events) // 2
    windows = [events, events[middle - 40 :], events[: middle + 40]]
    asked = [capture(LOGS, answer=json.dumps({"events": window, "clockChanges": []}).encode()) for window in windows]
    whole = scrub(asked[0], name="x", values="synthetic").cassette
    parts = scrub(replace(asked[0], exchanges=asked[1].exchanges + asked[2].exchanges), name="x", values="synthetic").cassette
    told, later, first = (json.loads(exchange.response.body)["events"] for exchange in (*whole.exchanges, *parts.exchanges))
    assert later == told[middle - 40 :]
    assert first == told[: middle + 40]


def test_settings_are_one_persons_and_padding_stays_padding(session: Session) -> None:
    made = scrub(session("2025"), name="x", values="synthetic").cassette
    (answer,) = [one.response for one in made.exchanges if one.request.url.endswith("pumpeventmetadata")]
    told = [pump["lastUpload"]["settings"] for pump in json.loads(decoded(answer.headers, answer.body)) if pump["lastUpload"]]
    segments = [segment for settings in told for profile in settings["profiles"]["profile"] for segment in profile["tDependentSegs"]]
    used = {"basalRate": 800, "isf": 45, "carbRatio": 10_000, "targetBg": 110}
    assert {tuple(sorted(segment.items())) for segment in segments if segment["startTime"] == 0} == {
        tuple(sorted({"startTime": 0, **used}.items())),
        tuple(sorted({"startTime": 0, **dict.fromkeys(used, 0)}.items())),
    }
    assert len({segment["startTime"] for segment in segments}) > 3
    assert [settings["controlIQSettings"]["TotalDailyInsulin"] for settings in told] == [40] * len(told)


# --- the check


def altered(cassette: Cassette, change: Callable[[Object], None]) -> Cassette:
    """The last answer of the bff, with one event's properties changed by hand."""
    *others, last = cassette.exchanges
    value = json.loads(decoded(last.response.headers, last.response.body))
    change(value["events"][-1]["eventProperties"])
    body = encoded(last.response.headers, json.dumps(value, separators=(",", ":")).encode())
    return replace(cassette, exchanges=(*others, last.replacing(response=replace(last.response, body=body))))


def one_event(capture: Build, code: int, values: str = "synthetic") -> Cassette:
    blank = Records.build(code=code, seconds=LAST, sequence=1)
    (event,) = events_from_records(blank, device_assignment_id=ID)
    answer = json.dumps({"events": [event], "clockChanges": []}, separators=(",", ":")).encode()
    return scrub(capture(LOGS, answer=answer), name="x", values=values).cassette


def test_the_check_finds_every_amount_that_is_not_made_from_the_structure(capture: Build) -> None:
    for code in AMOUNTS:
        made = one_event(capture, code)
        assert looked_at(made) == ()
        for name in AMOUNTS[code]:
            findings = looked_at(altered(made, lambda properties, name=name: properties.update({name: 14})))  # type: ignore[misc]  # mypy loses the default's type
            place = f"#1 response body.events[].eventProperties.{name} of event {code}"
            assert list(map(str, findings)) == [f"{place}: {NOT_GIVEN}"]


def test_an_amount_edited_by_hand_is_made_again(capture: Build) -> None:
    made = one_event(capture, 399)
    assert dumps(again(altered(made, lambda properties: properties.update(currentGlucoseDisplayValue=41))).cassette) == dumps(made)


def test_the_check_believes_no_cassette_that_only_claims_it(scrubbed: Done) -> None:
    for era in ERAS:
        kept = loads(dumps(scrubbed(era).cassette), "x.json")
        before = dumps(kept)
        places = {finding.place for finding in looked_at(replace(kept, values="synthetic"))}
        assert dumps(kept) == before
        assert len(places) > 40
        assert any("basalRate" in place for place in places)
        assert any(place.endswith("currentGlucoseDisplayValue of event 399") for place in places)


@pytest.mark.parametrize("value", ["", None, [], False])
def test_a_blank_of_another_type_stays_what_it_is(capture: Build, value: Json) -> None:
    event = {"eventCode": 399, "sequenceNumber": 1, "eventProperties": {"currentGlucoseDisplayValue": value}}
    made = scrub(capture(LOGS, answer=json.dumps({"events": [event]}).encode()), name="x", values="synthetic").cassette
    assert json.loads(made.exchanges[0].response.body)["events"][0]["eventProperties"] == {"currentGlucoseDisplayValue": value}
    assert looked_at(made) == ()


def test_columns_have_the_layout_the_tests_assume() -> None:
    assert all(set(AMOUNTS[code]) <= set(layout(code).names or ()) for code in AMOUNTS)
