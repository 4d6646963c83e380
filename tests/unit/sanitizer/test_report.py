"""The audit report: complete about what was done and what is left in, silent about what was there."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sanitizer.audit.anonymity import ACCOUNT, crowd, left_in
from sanitizer.audit.report import HELD, Entry, markdown, report
from sanitizer.check import COUNTED
from sanitizer.formats import har
from sanitizer.policy.policy import Node, policy
from sanitizer.replacements.actions import ACTIONS
from sanitizer.scrub import Scrubbed
from tfx import cli
from tfx.capture import Capture
from tfx.store import save

Session = Callable[..., Capture]
Done = Callable[..., Scrubbed]


def entry(done: Scrubbed) -> Entry:
    return Entry(cassette=done.cassette, findings=done.findings, touched=done.touched)


def test_every_rule_is_listed_under_one_thing_it_held() -> None:
    listed = [word for words in HELD.values() for word in words]
    assert sorted(listed) == sorted(ACTIONS.keys() | COUNTED)


def kept(node: Node, path: str = "") -> list[str]:
    if node.rule:
        return [path.removeprefix(".")] if node.rule.word in ("keep", "words", "country") else []
    inner = [one for name, member in (node.members or {}).items() for one in kept(member, f"{path}.{name}")]
    return inner + (kept(node.items, f"{path}[]") if node.items else [])


@pytest.mark.parametrize("era", ["2025", "2026-10"])
def test_nothing_that_is_kept_about_the_account_is_left_out(scrubbed: Done, era: str) -> None:
    left = left_in(scrubbed(era).cassette, policy())
    told = {place for places in left.values() if isinstance(places, dict) for place in places}
    asked = {place.partition(" ")[0] for place in told} & set(ACCOUNT)
    assert asked == {"pumpers", "pumper" if era != "2025" else "pump-event-metadata"}
    assert told >= {f"{name} {path}" for name in asked for path in kept(policy().bodies[name, "response"])}
    assert {
        "profiles",
        "pump model",
        "software version",
        "versions in events",
        "body data in events",
        "time zone and travel",
    } <= left.keys()


def test_both_eras_tell_the_same_versions(scrubbed: Done) -> None:
    binary, bff = (left_in(scrubbed(era).cassette, policy())["body data in events"] for era in ("2025", "2026-10"))
    assert isinstance(binary, dict)
    assert isinstance(bff, dict)
    assert binary["event 313 weight"] == bff["event 313 weight"] != []


def test_nothing_seen_and_no_length_of_it_is_in_the_report(session: Session, scrubbed: Done) -> None:
    capture = session()
    told = report([entry(scrubbed())], policy())
    text = json.dumps(told, ensure_ascii=False) + markdown(told)
    assert not [seen.kind for seen in capture.seen if len(seen.value) > 3 and seen.value in text]
    assert isinstance(told["files"], list)
    (file,) = told["files"]
    assert isinstance(file, dict)
    assert file["file"] == "x.json"
    assert isinstance(file["kept"], dict)
    assert file["kept"]["model-name"], "kept members of answers, by their domain"
    assert "\n| units/h |" in markdown(told), "kept fields of events, by their bounds"
    assert isinstance(file["held"], dict)
    assert isinstance(file["rules"], dict)
    assert sum(map(int, map(str, file["held"].values()))) == sum(map(int, map(str, file["rules"].values()))), "each place is listed once"


def test_k_is_how_many_share_it(scrubbed: Done) -> None:
    left = {name: left_in(scrubbed(therapy=therapy).cassette, policy()) for name, therapy in (("a", 1), ("b", 1), ("c", 2))}
    found = crowd(left)
    assert found["profiles"] == found["all together"] == {"a": 2, "b": 2, "c": 1}
    assert found["time zone and travel"] == {"a": 3, "b": 3, "c": 3}
    assert "k = 1 is no proof" in str(found["says"])
    bare = {name: one for name, one in left["c"].items() if name == "profiles"}
    few = crowd({**left, "d": bare, "e": bare, "f": {}})
    assert few["time zone and travel"] == {"a": 3, "b": 3, "c": 3}, "who has nothing left shares nothing"
    text = markdown({"policy": {"service": "s", "version": 1, "own rules": False}, "files": [], "crowd": few})
    assert "\n| k of | " in text
    assert next(line for line in text.splitlines() if line.startswith("| d |")).count(" none ") == len(few) - 3
    assert "| f |" not in text
    assert crowd({"a": left["a"]}).keys() == {"says"}, "one alone has no crowd"


def test_the_command_writes_it_for_cassettes_imports_and_refusals(
    scrubbed: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clean = replace(scrubbed().cassette, name="week")
    save(clean, tmp_path)
    (tmp_path / "other.har").write_bytes(har.write(clean))
    (tmp_path / "marisol.har").write_text('{"log": {"entries": "Marisol"}}')
    assert cli.run(["sanitize", "week.json", "--report", "audit.json"]) == 0
    told = json.loads((tmp_path / "audit.json").read_text())
    assert told["policy"] == {"service": "tandem-source", "version": policy().version, "own rules": False}
    assert [(one["file"], one["imported"]) for one in told["files"]] == [("week.json", False)]
    assert cli.run(["sanitize", "other.har", "--output", "out", "--report", "reports/audit.md"]) == 0
    text = (tmp_path / "reports" / "audit.md").read_text()
    assert text.startswith("# What the sanitizer did\n\nPolicy tandem-source, version ")
    assert "\nImported. Requests left out, to other hosts or without an answer: none.\n" in text
    assert cli.run(["sanitize", "marisol.har", "--output", "out", "--report", "audit.md"]) == 2
    text = (tmp_path / "audit.md").read_text()
    assert "## file 1\n\nNothing was written: the file " in text
    assert "marisol" not in text.casefold()
    assert cli.run(["sanitize", "--check", "week.json", "--report", "no/../week.json/x.md"]) == 2
    assert "cannot write the report" in capsys.readouterr().err
