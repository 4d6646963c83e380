"""User rules: they add, and can neither loosen the policy nor keep a value without bounds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sanitizer.policy.policy import policy
from sanitizer.policy.user_rules import extended, rules_of
from sanitizer.scrub import scrub
from tfx import cli
from tfx.capture import Capture
from tfx.errors import UsageError
from tfx.store import save

Build = Callable[..., Capture]

ADDED = """
domains.colour = { words = ["Black", "White"] }
domains.level = { from_to = [0, 10] }
endpoints.pumper.response."pumps[].colour" = "keep:colour"
endpoints.pumper.response."pumps[].{top,low}Level" = "keep:level"
endpoints.sso-page.query.tenant = "literal:none"
endpoints.token.request.otp = "blank"
claims."groups[]" = "session"
errors.instance = "url"
headers.response.x-edge = "drop"
headers.request.drop = ["x-mine"]
cookies.attributes.priority = "literal:"
"""

LOOSER = [
    ('endpoints.pumper.response."firstName" = "keep:scope"', "endpoints.pumper.response.firstName has a rule already"),
    ('endpoints.pumper.response."pumps" = "blank"', "pumps has a rule already"),
    ('endpoints.pumper.response."firstName.first" = "given"', "firstName.first has a rule already"),
    ('endpoints.login.request."{password,x}" = "keep:scope"', "password has a rule already"),
    ('endpoints.login.request."{pass,x}word" = "keep:scope"', "password has a rule already"),
    ('endpoints.authorize.query.state = "blank"', "endpoints.authorize.query.state has a rule already"),
    ('endpoints.authorize.path.state = "blank"', "endpoints.authorize.path has no place in a policy"),
    ('endpoints.pump-logs.response."events[].note" = "blank"', "which tfx reads as events or keys"),
    ('endpoints.backdoor.response.x = "blank"', "there is no such endpoint"),
    ('headers.request.cookie = "drop"', "headers.request.cookie has a rule already"),
    ('headers.response.server = "blank"', "headers.response.server has a rule already"),
    ('headers.request.drop = ["authorization"]', "headers.request.authorization has a rule already"),
    ('headers.request.x-length = "length"', "is not written as"),
    ('headers.request.X-Cookie = "cookies"', "is not written as"),
    ('domains.flag = { words = ["x"] }', "domains.flag has a rule already"),
    ("domains.any = { pattern = '[a-z]{1,9}' }", "domains.any.pattern has no place in a policy"),
    ('domains.any = { words = ["10871624"] }', "is not written as"),
    ('domains.any = { words = ["me@example.org"] }', "is not written as"),
    ("domains.any = { from_to = [0, 100000000] }", "a number out of bounds"),
    ("domains.any = {}", "domains.any needs one of words, from_to"),
    ('claims.nick = "keep:anything"', "nothing is kept without a domain"),
    ('claims.nick = "keep"', "is not written as a word such as blank, drop, uuid or date, or keep:DOMAIN,"),
    ('claims.nick = "pass"', "there is no action pass"),
    ("bounds.counts = [0, 99999999]", "bounds has no place in a policy"),
    ('marks."?" = "keep"', "marks has no place in a policy"),
    ('cookies.names = [".+"]', "cookies.names has no place in a policy"),
    ('links."https://example.org" = ""', "links has no place in a policy"),
    ("version = 2", "version has no place in a policy"),
    ("claims", "is not TOML"),
]


def test_rules_that_add() -> None:
    found = extended(ADDED)
    pumps = (found.bodies["pumper", "response"].members or {})["pumps"].items
    assert pumps
    assert {name: str((pumps.members or {})[name].rule) for name in ("colour", "topLevel", "serialNumber")} == {
        "colour": "keep:colour",
        "topLevel": "keep:level",
        "serialNumber": "serial",
    }
    assert {name: str(found.headers["request"][name]) for name in ("x-mine", "host")} == {"x-mine": "drop", "host": "drop"}
    assert found.vocabulary == policy().vocabulary, "a name in a comment of theirs must not pass the second look"


@pytest.mark.parametrize(("text", "said"), LOOSER)
def test_a_rule_of_ones_own_loosens_nothing(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="your rules") as caught:
        extended(text)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert rules_of(None) is None
    with pytest.raises(UsageError, match=r"cannot read the rules in .*own\.toml \(No such file"):
        rules_of(tmp_path / "own.toml")
    (tmp_path / "own.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        rules_of(tmp_path / "own.toml")


def test_such_a_cassette_is_clean_only_by_the_rules_it_was_made_with(
    capture: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "https://source.tandemdiabetes.com/api/reports/bff/pumper/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
    done = scrub(capture(url, answer=b'{"pumps":[{"colour":"Black"},{"colour":"Marisol","topLevel":99}]}'), name="x", rules=extended(ADDED))
    assert done.cassette.exchanges[0].response.body == b'{"pumps":[{"colour":"Black"},{"colour":"","topLevel":0}]}'
    save(done.cassette, tmp_path)
    (tmp_path / "own.toml").write_text(ADDED)
    assert cli.run(["sanitize", "--check", "--policy", "own.toml", "x.json"]) == 0
    assert cli.run(["sanitize", "--check", "x.json"]) == 1
    assert "response body.pumps[0].<another name 1>: a member without a rule" in capsys.readouterr().out
    assert cli.run(["sanitize", "--suggest", "x.json"]) == 0
    told = capsys.readouterr().out
    assert 'endpoints.pumper.response."pumps[].colour" = "blank"  # text; a name tfx does not know\n' in told
    blanked = '"pumps[].topLevel" = "blank"  # blanked already: make this rule from the source; a name tfx does not know\n'
    assert blanked in told, "no domain is guessed from a zero"
    assert cli.run(["sanitize", "--policy", "own.toml", "x.json"]) == 0
    assert capsys.readouterr().out == "1 cassette clean already, nothing written\n"
