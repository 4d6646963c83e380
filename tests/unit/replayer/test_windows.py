"""Any window inside the recorded span is answered from the recorded events, in the recorded bytes; outside it nothing is known."""

import base64
import itertools
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import cast
from urllib.parse import urlencode

import pytest
import tape
from hypothesis import given, settings
from hypothesis import strategies as st

from replayer.replay import Replay
from simulator.account import account
from simulator.service import Service
from simulator.session import Walk
from tandem.endpoints import BY_NAME
from tandem.eras import ERAS
from tandem.records import Records
from tandem.regions import REGIONS
from tfx.cassette import Cassette
from tfx.codec import decoded, encoded
from tfx.errors import CassetteError, MismatchError
from tfx.exchange import Exchange, Headers, Request, Response, State, Terms
from tfx.jsonbody import STYLES, Json

US = REGIONS["us"]
NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)


def ask(replay: Replay, first: str, last: str, **more: str) -> Response:
    url = tape.logs_url(first[:10], last[:10], **more)
    if "T" in first:
        query = {"pumperId": tape.PERSON, "startDate": first, "endDate": last, **more}
        url = f"{BY_NAME['pump-logs'].url(US, assignmentId=tape.PUMP)}?{urlencode(query)}"
    return replay.answer(Request(method="GET", url=url, headers=Headers(tape.data_headers("us"))))


def numbers(response: Response) -> list[int]:
    return [one["sequenceNumber"] for one in json.loads(response.body)["events"]]


def recorded_between(first: str, last: str) -> list[int]:
    return [int(str(one["sequenceNumber"])) for one in tape.EVENTS if first <= str(one["pumpDateTime"]) <= last]


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2024-07-02T00:00:00Z", "2024-07-03T23:59:59Z", "across two recorded windows"),
        ("2024-07-01T00:00:00Z", "2024-07-04T23:59:59Z", "all of it"),
        ("2024-07-02T00:00:00Z", "2024-07-02T23:59:59Z", "one day"),
        ("2024-07-02T05:00:00Z", "2024-07-02T10:00:00Z", "both ends are included"),
        ("2024-07-02T05:00:01Z", "2024-07-02T09:59:59Z", "to the second"),
        ("2024-07-02T05:00:00.000Z", "2024-07-02T10:00:00.000Z", "as JavaScript writes it"),
        ("2024-07-04T21:00:00Z", "2024-07-04T23:59:59.999Z", "the last moment, and nothing in it"),
    ],
)
def test_a_window_holds_the_recorded_events_of_its_days(first: str, last: str, why: str) -> None:
    replay = Replay(tape.session(), signed_in=True)
    expected = recorded_between(first[:19], last[:19])
    assert numbers(ask(replay, first, last)) == expected, why
    assert numbers(ask(replay, first, last)) == expected, "as often as it is asked"


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2024-06-30T00:00:00Z", "2024-07-01T23:59:59Z", "starts before"),
        ("2024-07-04T00:00:00Z", "2024-07-05T00:00:00Z", "ends after"),
        ("2023-01-01T00:00:00Z", "2023-01-02T00:00:00Z", "long before"),
    ],
)
def test_outside_the_recorded_span_both_spans_are_named(first: str, last: str, why: str) -> None:
    with pytest.raises(MismatchError) as caught:
        ask(Replay(tape.session(), signed_in=True), first, last)
    assert str(caught.value).splitlines() == [
        f"no exchange on session has these events: the window {first[:-1]} to {last[:-1]} reaches outside what was recorded of this pump",
        "  recorded: 2024-07-01T00:00:00 to 2024-07-04T23:59:59",
        "  what to do: ask inside it (with freeze, today is the cassette's), or record more days with: tfx record session --days N",
    ], why


def test_a_hole_between_recorded_windows_is_outside() -> None:
    cassette = tape.session()
    holed = replace(cassette, exchanges=(tape.logs("2024-07-01", "2024-07-01"), tape.logs("2024-07-03", "2024-07-04")))
    assert numbers(ask(Replay(holed, signed_in=True), "2024-07-03", "2024-07-03"))
    with pytest.raises(
        MismatchError, match="2024-07-01T00:00:00 to 2024-07-01T23:59:59\n  recorded: 2024-07-03T00:00:00 to 2024-07-04T23:59:59"
    ):
        ask(Replay(holed, signed_in=True), "2024-07-01", "2024-07-03")


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2024-07-01T00:00:00+02:00", "2024-07-02T00:00:00Z", "400: startDate is no moment such as 2024-07-02T00:00:00Z"),
        ("2024-07-01T00:00:00Z", "2024-07-02T99:00:00Z", "400: endDate is no moment such as 2024-07-02T00:00:00Z"),
        ("2024-07-01T00:00:00Z", "2024-07-30T00:00:00Z", "400: it spans more than 28 days"),
    ],
)
def test_what_the_service_does_not_take_is_refused_and_told(first: str, last: str, words: str) -> None:
    replay = Replay(tape.session(), signed_in=True)
    assert ask(replay, first, last).status == 400
    assert replay.refused == (f"GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{{assignmentId}} was answered with {words}",)


def test_what_nobody_saw_the_service_answer_is_a_miss() -> None:
    with pytest.raises(MismatchError, match="the window ends before it begins"):
        ask(Replay(tape.session(), signed_in=True), "2024-07-02", "2024-07-01")


def test_strict_windows_answer_recorded_windows_only() -> None:
    replay = Replay(tape.session(), strict_windows=True, signed_in=True)
    assert ask(replay, "2024-07-01", "2024-07-02").status == 200
    with pytest.raises(MismatchError, match=r"query\.endDate: recorded 2024-07-02T23:59:59Z, asked 2024-07-01T23:59:59Z"):
        ask(replay, "2024-07-01", "2024-07-01")


def failing(status: int, when: State = "") -> Exchange:
    made = tape.exchange("GET", tape.logs_url("2024-07-01", "2024-07-02"), sent=tape.data_headers("us"), status=status)
    return Exchange(request=made.request, response=made.response, terms=Terms(when=when))


def test_what_failed_when_it_was_recorded_fails_once_for_other_codes_and_days_too() -> None:
    whole = tape.session()
    unhappy = replace(whole, exchanges=(*whole.exchanges[:8], failing(500), failing(401), *whole.exchanges[8:]))
    replay = Replay(unhappy, signed_in=True)
    assert ask(replay, "2024-07-03", "2024-07-04", eventCodes="").status == 200, "nothing failed in that window"
    assert [ask(replay, "2024-07-01", "2024-07-02", eventCodes="").status for _ in range(4)] == [500, 401, 200, 200]
    assert replay.used == (9, 10, 11, 12)
    assert ask(replay, "2024-07-01", "2024-07-02").status == 200, "the failures were met"
    assert [
        ask(Replay(unhappy, signed_in=True), "2024-07-02", "2024-07-03").status,
        ask(Replay(unhappy, signed_in=True), "2024-07-01", "2024-07-02").status,
    ] == [500, 500]


def test_a_failure_is_met_in_its_order_and_state_only() -> None:
    whole = tape.session()
    late = replace(whole, exchanges=(*whole.exchanges[:9], failing(500), failing(429, when="limited"), whole.exchanges[9]))
    replay = Replay(late, signed_in=True)
    assert ask(replay, "2024-07-01", "2024-07-02", eventCodes="").status == 200
    assert [ask(replay, "2024-07-01", "2024-07-02").status for _ in range(2)] == [200, 500]
    assert ask(replay, "2024-07-01", "2024-07-02", eventCodes="").status == 200


def test_touched_windows_count_as_used() -> None:
    replay = Replay(tape.session(), signed_in=True)
    ask(replay, "2024-07-02", "2024-07-02")
    assert list(replay.used) == [9]
    ask(replay, "2024-07-02", "2024-07-03")
    assert list(replay.used) == [9, 10]


@pytest.mark.parametrize("code", [399, 279, 4, 1])
def test_codes_filter_events_and_never_the_clock_changes(code: int) -> None:
    body = json.loads(ask(Replay(tape.session(), signed_in=True), "2024-07-01", "2024-07-04", eventCodes=str(code)).body)
    assert [one["sequenceNumber"] for one in body["events"]] == [one["sequenceNumber"] for one in tape.EVENTS if one["eventCode"] == code]
    assert body["clockChanges"] == list(tape.CHANGES)


def test_an_empty_list_of_codes_means_all_and_a_repeated_key_none() -> None:
    replay = Replay(tape.session(), signed_in=True)
    assert len(numbers(ask(replay, "2024-07-01", "2024-07-04", eventCodes=""))) == len(tape.EVENTS)
    url = tape.logs_url("2024-07-01", "2024-07-04", eventCodes="399") + "&eventCodes=279"
    assert numbers(replay.answer(Request(method="GET", url=url, headers=Headers(tape.data_headers("us"))))) == []


def test_no_event_has_a_code_of_thousands_of_digits_and_a_body_on_a_get_is_a_miss() -> None:
    replay = Replay(tape.session(), signed_in=True)
    assert numbers(ask(replay, "2024-07-01", "2024-07-04", eventCodes="3" * 5000)) == []
    url = tape.logs_url("2024-07-01", "2024-07-04")
    with pytest.raises(MismatchError, match="body"):
        replay.answer(Request(method="GET", url=url, headers=Headers(tape.data_headers("us")), body=b"delete everything"))


def test_before_october_2026_the_filter_was_not_honoured() -> None:
    replay = Replay(tape.session("2026-07"), signed_in=True)
    assert len(numbers(ask(replay, "2024-07-01", "2024-07-04", eventIds="399"))) == len(tape.EVENTS)
    assert len(numbers(ask(replay, "2024-07-01", "2024-07-04", eventCodes="399"))) == len(tape.EVENTS)
    strict = Replay(tape.session("2026-07"), signed_in=True, strict_windows=True)
    with pytest.raises(MismatchError, match=r"query\.eventCodes: recorded <absent>, asked <number>"):
        ask(strict, "2024-07-01", "2024-07-02", eventCodes="399")


def test_a_recording_of_some_codes_does_not_answer_for_others() -> None:
    some = [one for one in tape.EVENTS if one["eventCode"] == 399]
    cassette = replace(tape.session(), exchanges=(tape.logs("2024-07-01", "2024-07-04", events=tuple(some), eventCodes="399,5"),))
    assert numbers(ask(Replay(cassette, signed_in=True), "2024-07-01", "2024-07-02", eventCodes="399"))
    with pytest.raises(MismatchError, match="holds only some event codes of this pump"):
        ask(Replay(cassette, signed_in=True), "2024-07-01", "2024-07-02")


def test_recorded_failures_come_first_and_in_their_order() -> None:
    good = tape.session().exchanges[8]
    failures = [good.replacing(response=Response(status=status)) for status in (401, 500)]
    replay = Replay(replace(tape.session(), exchanges=(*failures, good)), signed_in=True)
    assert [ask(replay, "2024-07-01", "2024-07-02").status for _ in range(4)] == [401, 500, 200, 200]


def test_a_window_that_never_succeeded_is_not_known() -> None:
    failed = tape.session().exchanges[8].replacing(response=Response(status=500))
    replay = Replay(replace(tape.session(), exchanges=(failed,)), signed_in=True)
    assert ask(replay, "2024-07-01", "2024-07-02").status == 500
    with pytest.raises(MismatchError, match="its answers are used up"):
        ask(replay, "2024-07-01", "2024-07-02")


def test_another_pump_has_windows_of_its_own() -> None:
    url = tape.logs_url("2024-07-01", "2024-07-01").replace(tape.PUMP, "00000000-0000-4000-8000-000000000009")
    with pytest.raises(MismatchError, match=r"path\.assignmentId: recorded 00000000-0000-4000-8000-000000000002, asked <uuid>"):
        Replay(tape.session(), signed_in=True).answer(Request(method="GET", url=url, headers=Headers(tape.data_headers("us"))))


@pytest.mark.parametrize("style", STYLES)
def test_the_bytes_are_the_services_whatever_its_style(style: str) -> None:
    events, changes = cast("list[Json]", list(tape.EVENTS)), cast("list[Json]", list(tape.CHANGES))
    whole = STYLES[style]({"events": events, "clockChanges": changes})
    part = STYLES[style]({"events": [one for one in events if "2024-07-02T" in str(one)], "clockChanges": changes})
    recorded = tape.logs("2024-07-01", "2024-07-04")
    recorded = recorded.replacing(response=replace(recorded.response, body=whole))
    assert ask(Replay(replace(tape.session(), exchanges=(recorded,)), signed_in=True), "2024-07-02", "2024-07-02").body == part


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            b'{"clockChanges":[],"events":[{"pumpDateTime":"2024-07-02T00:00:00","sequenceGroup":0,"sequenceNumber":1,"eventCode":1}]}',
            "last",
        ),
        (
            (
                b'{ "events" : [ {"v": 1.50, "v2": 1e400, "pumpDateTime":"2024-07-02T00:00:00",'
                b'"sequenceGroup":0,"sequenceNumber":12345678901234567890123,"eventCode":1} ] , "more": {"events": []} }\n'
            ),
            "numbers no writer would write",
        ),
    ],
)
def test_an_event_is_copied_not_written_anew(body: bytes, why: str) -> None:
    recorded = tape.logs("2024-07-01", "2024-07-04")
    recorded = recorded.replacing(response=replace(recorded.response, body=body))
    assert ask(Replay(replace(tape.session(), exchanges=(recorded,)), signed_in=True), "2024-07-02", "2024-07-02").body == body, why


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events":5}', b'{"events":[5]}', b'{"events":[{}]}', b'{"events":[', b"\xff"])
def test_a_recording_that_holds_no_events_is_named(body: bytes) -> None:
    recorded = tape.logs("2024-07-01", "2024-07-04")
    recorded = recorded.replacing(response=replace(recorded.response, body=body))
    with pytest.raises(CassetteError, match="exchange #1 answers pump-logs with something that is not events"):
        ask(Replay(replace(tape.session(), exchanges=(recorded,)), signed_in=True), "2024-07-02", "2024-07-02")


def test_headers_fit_the_derived_body() -> None:
    recorded = tape.logs("2024-07-01", "2024-07-04")
    headers = Headers([("Content-Encoding", "gzip"), ("Content-Length", "0"), ("ETag", '"x"'), ("X-Kept", "yes")])
    response = replace(recorded.response, headers=headers, body=encoded(headers, recorded.response.body))
    replay = Replay(replace(tape.session(), exchanges=(recorded.replacing(response=response),)), signed_in=True)
    url = tape.logs_url("2024-07-02", "2024-07-02")
    sent = Headers([*tape.data_headers("us"), ("Accept-Encoding", "gzip")])
    got = replay.answer(Request(method="GET", url=url, headers=sent))
    assert (got.headers.get("Content-Length"), got.headers.get("X-Kept"), "etag" in got.headers) == (str(len(got.body)), "yes", False)
    assert len(json.loads(decoded(got.headers, got.body))["events"]) == 5


def legacy(replay: Replay, first: str, last: str, **more: str) -> Records:
    url = BY_NAME["pump-events"].url(US, pumperId=tape.PERSON, tconnectDeviceId="900001")
    query = urlencode({"minDate": first, "maxDate": last, **more})
    return Records.from_body(replay.answer(Request(method="GET", url=f"{url}?{query}", headers=Headers(tape.data_headers("us")))).body)


def test_binary_windows_are_cut_and_joined_alike() -> None:
    replay = Replay(tape.session("2025"), signed_in=True)
    assert legacy(replay, "2024-07-02", "2024-07-03").sequence.tolist() == recorded_between("2024-07-02", "2024-07-04")
    chosen = legacy(replay, "2024-07-02", "2024-07-03", eventIds="399,4")
    assert set(chosen.code.tolist()) == {399, 4}
    assert legacy(replay, "2024-07-01", "2024-07-02").to_bytes() == base64.b64decode(
        json.loads(tape.session("2025").exchanges[7].response.body)
    )
    with pytest.raises(MismatchError, match="reaches outside"):
        legacy(replay, "2024-07-02", "2024-07-05")


# --- laws, against the stand-in's own answers


DAYS = tuple(date(2026, 11, day) for day in range(14, 19))


@cache
def stand_in(era: str) -> tuple[Service, Cassette]:
    """The stand-in, and three windows recorded of it: overlapping, touching, the last one of one day."""
    person = account(now=NOW, days=4, density=0.3)
    service = Service(person, era=era, region="us", now=NOW)
    walk = Walk(service, ERAS[era], US)
    walk.sign_in(person.email, person.password)
    before = len(walk.exchanges)
    for first, last in ((0, 2), (1, 3), (4, 4)):
        walk.read_window(person.pumper_id, person.current, DAYS[first], DAYS[last])
    exchanges = tuple(walk.exchanges[before:])
    return service, Cassette(name="s", era=era, region="us", clock=NOW, policy=1, exchanges=exchanges)


@cache
def replay_of(era: str) -> Replay:
    """One for all examples of a law: what is derived may be asked for again and again."""
    return Replay(stand_in(era)[1], signed_in=True)


def window_request(era: str, first: datetime, last: datetime, codes: str) -> Request:
    service, cassette = stand_in(era)
    recorded = cassette.exchanges[0].request
    if era == "2025":
        query = {"minDate": f"{first:%Y-%m-%d}", "maxDate": f"{last:%Y-%m-%d}"}
    else:
        pumper = service.account.pumper_id
        query = {"pumperId": pumper, "startDate": f"{first:%Y-%m-%dT%H:%M:%SZ}", "endDate": f"{last:%Y-%m-%dT%H:%M:%SZ}"}
    query |= {ERAS[era].events_key: codes} if codes else {}
    return replace(recorded, url=f"{recorded.url.partition('?')[0]}?{urlencode(query)}")


def moment(minutes: int) -> datetime:
    return datetime(2026, 11, 14) + timedelta(minutes=minutes)  # noqa: DTZ001  # pump wall clock


MINUTES = st.integers(min_value=0, max_value=5 * 24 * 60 - 1)


@pytest.mark.slow
@pytest.mark.parametrize("era", ["2025", "2026-07", "2026-10"])
@given(ends=st.tuples(MINUTES, MINUTES), codes=st.sampled_from(["", "399", "279,399,5", "9999"]))
def test_the_stand_in_itself_answers_with_the_same_bytes(era: str, ends: tuple[int, int], codes: str) -> None:
    service = stand_in(era)[0]
    request = window_request(era, moment(min(ends)), moment(max(ends)), codes)
    live = service.answer(request)
    got = replay_of(era).answer(request)
    assert live.status == 200
    assert decoded(got.headers, got.body) == decoded(live.headers, live.body)


def test_a_window_over_the_cap_is_refused_with_the_services_bytes() -> None:
    service = stand_in("2026-10")[0]
    for start, days, status in ((0, 28, 200), (0, 29, 400), (-9_000_000, 29, 400)):
        request = window_request("2026-10", moment(start), moment(start) + timedelta(days=days), "")
        live = service.answer(request)
        assert live.status == status
        if status == 400:  # even a window outside the recorded span: the service looks at its length first
            got = replay_of("2026-10").answer(request)
            assert (got.status, got.reason, got.body) == (400, live.reason, live.body)
            assert got.headers.get("content-type") == live.headers.get("content-type")
    with pytest.raises(MismatchError, match="reaches outside"):
        replay_of("2026-10").answer(window_request("2026-10", moment(0), moment(0) + timedelta(days=28), ""))


def test_a_service_that_answered_a_longer_window_is_taken_at_its_word() -> None:
    long = tape.logs("2024-06-01", "2024-07-04")
    assert (
        ask(Replay(tape.with_exchanges(tape.session(), long), signed_in=True), "2024-06-02T00:00:00Z", "2024-07-03T23:59:59Z").status == 200
    )


@pytest.mark.slow
@settings(max_examples=8)
@given(cuts=st.sets(MINUTES, max_size=5))
@pytest.mark.proofs
def test_the_windows_of_a_partition_add_up_to_the_whole(cuts: set[int]) -> None:
    replay = replay_of("2026-10")
    edges = [0, *sorted(cuts - {0}), 5 * 24 * 60]
    parts = [json_of(replay, moment(start), moment(end) - timedelta(seconds=1)) for start, end in itertools.pairwise(edges)]
    whole = json_of(replay, moment(0), moment(5 * 24 * 60) - timedelta(seconds=1))
    key = lambda one: (one["sequenceGroup"], one["sequenceNumber"])  # noqa: E731  # used twice in the next line
    assert sorted((one for part in parts for one in part["events"]), key=key) == sorted(whole["events"], key=key)
    assert all(part["clockChanges"] == whole["clockChanges"] for part in parts)


@pytest.mark.slow
@settings(max_examples=8)
@given(codes=st.sets(st.sampled_from([399, 279, 5, 16, 20, 256, 4000]), min_size=1))
def test_filtering_by_codes_and_then_by_hand_is_the_same(codes: set[int]) -> None:
    replay = replay_of("2026-10")
    first, last = moment(0), moment(5 * 24 * 60) - timedelta(seconds=1)
    chosen = json_of(replay, first, last, ",".join(map(str, sorted(codes))))["events"]
    assert chosen == [one for one in json_of(replay, first, last)["events"] if one["eventCode"] in codes]


def json_of(replay: Replay, first: datetime, last: datetime, codes: str = "") -> dict[str, list[dict[str, int]]]:
    got = replay.answer(window_request("2026-10", first, last, codes))
    found: dict[str, list[dict[str, int]]] = json.loads(decoded(got.headers, got.body))
    return found
