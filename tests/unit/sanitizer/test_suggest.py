"""Suggested rules: pasted, each place has one; they tell the shape of what was there and nothing else."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.audit.findings import Finding
from sanitizer.check import looked_at
from sanitizer.policy.known_names import known_to
from sanitizer.policy.policy import policy
from sanitizer.policy.suggest import MARK, is_public, save, shape, suggested
from sanitizer.policy.user_rules import extended
from sanitizer.scrub import scrub
from tfx.capture import Capture
from tfx.errors import UsageError
from tfx.jsonbody import Json

Build = Callable[..., Capture]
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
PUMPER = f"https://source.tandemdiabetes.com/api/reports/bff/pumper/{ID}"

SHAPES: list[tuple[Json, str, str, str]] = [
    (True, "keep:flag", "yes or no", "a flag is no number"),
    (3, "keep:small", "a small number", ""),
    (-12.25, "blank", "a number", ""),
    (10871624, "blank", "a number", "as long as a serial number"),
    (3.14159265, "blank", "a number", "more digits than anybody needs"),
    (ID.upper(), "uuid", "like a UUID", ""),
    (ID.replace("-", ""), "uuid", "like a UUID", "without dashes"),
    ("2026-11-18", "date", "like a date", ""),
    ("2026-11-18T10:00:00.5+01:00", "date", "like a date", "with an offset"),
    ("2026-11-18 by Marisol", "blank", "text", "a date and more"),
    ("10871624", "serial", "digits", ""),
    ("1" * 40, "blank", "text", "no number anybody counts with"),
    ("marisol@example.org", "email", "like an e-mail address", ""),
    ("https://source.tandemdiabetes.com/x", "url", "a URL of Tandem Source", ""),
    ("https://source.tandemdiabetes.com.example.org/x", "blank", "text", "another host"),
    ("Marisol", "blank", "text", ""),
]


def test_the_shape_of_a_leaf() -> None:
    for value, rule, says, _why in SHAPES:
        assert shape(value, policy()) == (rule, says), value


NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=8).filter(lambda name: not name.startswith("unknown"))
LEAVES: st.SearchStrategy[Json] = st.sampled_from([row[0] for row in SHAPES])
TREES: st.SearchStrategy[Json] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


@settings(max_examples=12)  # two sessions sanitized twice and a policy compiled: 25 ms each
@given(st.dictionaries(NAMES.map(lambda name: f"new_{name}"), TREES, max_size=3), NAMES)
def test_pasted_every_place_has_a_rule(capture: Build, body: dict[str, Json], key: str) -> None:
    def session(url: str) -> Capture:
        return capture(url, sent=(("X-Own", "abc"),), answer=json.dumps(body | {"pumps": [body]}).encode())

    asked = session(f"https://sso.tandemdiabetes.com/?new_{key}=1&new_{key}=marisol"), session(PUMPER)
    findings = [finding for one in asked for finding in scrub(one, name="x").findings]
    assert suggested((), policy()).splitlines()[-1].startswith("# Nothing to suggest: ")
    text = suggested(findings, policy())
    assert "Nothing to suggest" not in text
    assert not any(str(leaf) in text.partition("stricter")[2] for leaf in ("Marisol", "marisol", ID, "10871624", "2026", "3.14"))
    rules = extended(text)
    for one in asked:
        done = scrub(one, name="x", rules=rules)
        # A list of leaves and containers is blanked by rule; a finding for a value outside its rule is another matter.
        assert [str(finding) for finding in done.findings if "without a rule" in finding.kind] == []
        assert looked_at(done.cassette, rules=rules) == ()


def test_two_shapes_at_one_place_are_a_blank() -> None:
    lines = ['claims."nick" = "uuid"  # like a UUID', 'claims."nick" = "blank"  # text']
    text = suggested((Finding(exchange=1, place="p", kind="k", rule=line) for line in lines), policy())
    assert tomllib.loads(text) == {"claims": {"nick": "blank"}}
    assert text.endswith('claims."nick" = "blank"  # of several shapes; a name tfx does not know\n')


def test_a_blank_says_nothing_against_another_shape() -> None:
    rows = ['claims."nick" = "uuid"  # like a UUID', 'claims."nick" = "blank"  # blanked already: make this rule from the source']
    for lines in (rows, rows[::-1]):
        text = suggested((Finding(exchange=1, place="p", kind="k", rule=line) for line in lines), policy())
        assert tomllib.loads(text) == {"claims": {"nick": "uuid"}}


CANNOT = [
    ({"Marisol4Ever": 1}, "a name with a digit may be somebody's"),
    ({"events": [{"eventProperties": {"marisolText": "x"}}]}, "pump events are read by no table of rules"),
]


@pytest.mark.parametrize(("body", "_why"), CANNOT)
def test_what_no_rule_helps_is_a_comment(capture: Build, body: Json, _why: str) -> None:
    url = "https://source.tandemdiabetes.com/api/reports/bff/pump-logs/" + ID
    text = suggested(scrub(capture(url, answer=json.dumps(body).encode()), name="x").findings, policy())
    assert tomllib.loads(text) == {}
    assert "\n# #1 response body." in text
    assert "Marisol" not in text


def test_a_name_that_may_be_somebodys_is_marked(capture: Build) -> None:
    body = {"ottilie": "10871624", "birthdate": "1961-08-23", "pumps": [{"nick": {"email": "a@b.org"}}]}
    headers = (("Content-Type", "application/json"), ("X-Brandvold", "1"), ("X-Real-Ip", "1"))
    done = scrub(capture(PUMPER, got=headers, answer=json.dumps(body).encode()), name="x")
    marked = {line.partition(" = ")[0] for line in suggested(done.findings, policy()).splitlines() if line.endswith(MARK)}
    response = "endpoints.pumper.response"
    assert marked == {f'{response}."ottilie"', f'{response}."pumps[].nick.email"', "headers.response.x-brandvold"}
    known = known_to(policy())
    assert is_public(f'{response}."birthdate" = "date"  # x', known)
    assert is_public('headers.response.x-real-ip = "drop"  # x', known)


def test_a_file_of_rules_is_its_owners_and_replaces_nothing(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    save(file, "claims.nick = 1")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("claims.nick = 1", 0o600)
    with pytest.raises(UsageError, match=r"cannot write the rules to .* \(File exists\); name another file with --suggest"):
        save(file, "")
