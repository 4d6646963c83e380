"""The fast path by column gives the same as the slow path event by event."""

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from sanitizer.places.pumplogs import pump_logs
from sanitizer.places.visitors import Checker, Rewriter, Visitor
from sanitizer.policy.policy import policy
from sanitizer.replacements.devices import Device, survey
from sanitizer.replacements.epoch import Epoch, Odd
from sanitizer.run import Run
from tfx.jsonbody import Json

CLOCK = datetime(2026, 11, 18, 20, 30, 5, tzinfo=UTC)
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"

ODD = st.sampled_from([None, True, False, 0.0, -1, 1.5, 1 << 40, "", "x", [], [1], {}, {"a": 1}])
DATES = st.sampled_from(["2026-11-18", "2026-11-18T01:02:03", "2026-11-18T01:02:03Z", "2008-01-05T00:00:00", "2026-11-18T25:00:00", "x"])
MEMBERS = {
    "egvTimeStamp": st.integers(0, 0xFFFFFFFF),
    "cgmDataType": st.lists(st.integers(-1, 9), max_size=3),
    "iob": st.sampled_from([0, 1, 1.8189592, 1.818959212345]),
    "bolusId": st.integers(0, 70_000),
    "spareA1": st.integers(0, 1),
    "somethingNew": st.integers(0, 1),
}
PROPERTIES = st.dictionaries(st.sampled_from(sorted(MEMBERS)), st.none(), max_size=4).flatmap(
    lambda names: st.fixed_dictionaries({name: MEMBERS[name] | ODD for name in names})
)
ENVELOPE = {
    "deviceAssignmentId": st.sampled_from([ID, ID.upper(), "no id"]) | ODD,
    "eventCode": st.sampled_from([20, 280, 399, 4000, 5000]) | ODD,
    "sequenceGroup": st.sampled_from([0, 0, 7]) | ODD,
    "sequenceNumber": st.integers(0, 20) | ODD,
    "pumpDateTime": DATES | ODD,
    "eventProperties": PROPERTIES | ODD,
    "estimatedDateTime": DATES | ODD,
}
EVENT = st.fixed_dictionaries(ENVELOPE) | st.fixed_dictionaries({}, optional=ENVELOPE) | ODD


def after(visitor: Visitor, device: Device, events: list[Json]) -> list[Json]:
    found = pump_logs(visitor, device, {"events": events}, "body")
    assert isinstance(found, dict)
    return found["events"]  # type: ignore[return-value]  # a list comes out of a list


@given(st.lists(EVENT, min_size=1, max_size=8))
@example([{"sequenceGroup": 0, "sequenceNumber": 9}, {"sequenceGroup": 7, "sequenceNumber": 5}])
@example([{"eventCode": 280, "eventProperties": {"bolusId": 7}}, {"eventCode": 280, "eventProperties": {"iob": 1, "bolusId": 7}}])
def test_events_together_are_the_events_one_by_one(events: list[Json]) -> None:
    device = Device()
    survey(device, events)
    for visitor in (Rewriter, Checker):
        run = Run(policy=policy(), clock=CLOCK)
        together = after(visitor(run), device, events)
        seen = {(finding.place, finding.kind) for finding in run.findings}
        run.findings.clear()
        alone = [event for one in events for event in after(visitor(run), device, [one])]
        assert repr(together) == repr(alone), "0, 0.0 and False are different"
        assert seen == {(finding.place, finding.kind) for finding in run.findings}


def test_a_nought_of_the_wrong_type_is_put_right() -> None:
    event: Json = {"eventCode": 280, "eventProperties": {"bolusId": 0.0, "remoteId": 0}}
    assert repr(after(Rewriter(Run(policy=policy(), clock=CLOCK)), Device(), [event])) == repr(
        [{"eventCode": 280, "eventProperties": {"bolusId": 0, "remoteId": 0}}]
    )


@given(st.lists(DATES.filter(bool) | st.text("2026-11T:0123 Z\n.+", max_size=22), max_size=6), st.sampled_from(["", "2008-01-05"]))
@example(["2026-11-18T01:02:03\nT01:02:03"], "")
def test_dates_move_together_as_they_move_alone(texts: list[str], unset: str) -> None:
    moved = Epoch(CLOCK).column(texts, lambda text: bool(unset) and text.startswith(unset))
    for text, found in zip(texts, moved, strict=True):
        epoch = Epoch(CLOCK)
        try:
            expected: str | None = "2019-07-01" + epoch.time(text[10:]) if unset and text.startswith(unset) else epoch.iso(text)
        except Odd:
            expected = None
        assert found == expected
