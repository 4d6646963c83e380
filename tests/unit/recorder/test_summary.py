"""The text after a recording: no advice that does not apply."""

from datetime import UTC, datetime
from pathlib import Path

from recorder.summary import lines, report
from sanitizer.audit.findings import Finding
from sanitizer.policy.known_names import known_to
from sanitizer.policy.policy import policy
from sanitizer.scrub import Scrubbed
from tfx.cassette import Cassette

EMPTY = Cassette(name="x", era="2026-10", region="us", clock=datetime(2024, 7, 1, tzinfo=UTC), policy=1, exchanges=())
RULED = Finding(exchange=1, place="request header.x-api-key", kind="a header without a rule", rule='headers.request.x-api-key = "drop"')
NAMED = Finding(exchange=1, place="response body.<another name 1>", kind="a member without a rule", rule='claims."ottilie" = "blank"')
BARE = Finding(exchange=2, place="response body.<unnamed>", kind="a member without a rule; blanked")
KNOWN = known_to(policy())

HEAD = "x.json: 0 exchanges, 0 pump events (us, era 2026-10). 0 rules touched 0 places.\nThere is not one pump event on it: "


def done(*findings: Finding, left_out: int = 0) -> Scrubbed:
    return Scrubbed(cassette=EMPTY, findings=findings, touched={}, left_out=left_out)


def test_only_what_has_a_rule_to_add_stands_under_that_heading_and_no_name_that_may_be_somebodys() -> None:
    first, *told = lines(Path("x.json"), done(BARE, RULED, NAMED), KNOWN)
    assert told == [
        "2 places without a rule, blanked or removed; a line each, and the rule to add with --policy FILE:",
        "  #1 request header.x-api-key: a header without a rule",
        '    headers.request.x-api-key = "drop"',
        "  #1 response body.<another name 1>: a member without a rule",
        "1 place blanked, removed or left out, for which no rule can be added:",
        "  #2 response body.<unnamed>: a member without a rule; blanked",
        "Suggested rules not shown, because their names are unknown and may be personal: 1. --suggest FILE writes them.",
    ]
    assert first.startswith(HEAD)
    assert first.endswith("Ask for more with --days.")


def test_where_the_rules_were_written_is_told() -> None:
    told = lines(Path("x.json"), done(NAMED), KNOWN, suggest=Path("own.toml"))
    assert told[-1] == "Rules for the places without one: own.toml. Read each name in it before you share it."


def test_what_was_left_out_is_counted() -> None:
    assert "named below: 2." in lines(Path("x.json"), done(BARE, left_out=2), KNOWN)[0]
    assert report(Path("x.json"), done(BARE, left_out=2))["refused and left out"] == 2


def test_a_program_is_not_told_of_days() -> None:
    assert lines(Path("x.json"), done(), KNOWN, by_program=True)[0] == f"{HEAD}the program asked for none, or for days without one."
