"""What a person is told of a cassette just written: no advice that does not fit."""

from datetime import UTC, datetime
from pathlib import Path

from recorder.summary import lines
from sanitizer.findings import Finding
from tfx.cassette import Cassette

EMPTY = Cassette(name="x", era="2026-10", region="us", clock=datetime(2024, 7, 1, tzinfo=UTC), policy=1, exchanges=())
RULED = Finding(exchange=1, place="request header.X-Me", kind="a header without a rule", rule='headers.request.x-me = "drop"')
BARE = Finding(exchange=2, place="response body.<unnamed>", kind="a member without a rule; blanked")

HEAD = "x.json: 0 exchanges, 0 pump events (us, era 2026-10). 0 rules touched 0 places.\nThere is not one pump event on it: "


def test_only_what_has_a_rule_to_add_stands_under_that_heading() -> None:
    first, *told = lines(Path("x.json"), EMPTY, (BARE, RULED))
    assert told == [
        "1 places without a rule were blanked or removed; a line each, and the rule to add with --policy FILE:",
        "  #1 request header.X-Me: a header without a rule",
        '    headers.request.x-me = "drop"',
        "1 places were blanked or removed, and no rule can be added for them:",
        "  #2 response body.<unnamed>: a member without a rule; blanked",
    ]
    assert first.startswith(HEAD)
    assert first.endswith("Ask for more with --days.")


def test_a_program_is_not_told_of_days() -> None:
    assert lines(Path("x.json"), EMPTY, (), by_program=True)[0] == f"{HEAD}the program asked for none, or for days without one."
