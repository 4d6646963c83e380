"""`tfx prune` and `tfx orphans` by the reports of pytest and of `tfx replay`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from click.testing import Result as Ran

from replayer.usage.prune import orphans, prune
from replayer.usage.usage import Usage, fingerprint
from sanitizer.scrub import again
from tfx import store
from tfx.cli import run
from tfx.codec import decoded, encoded
from tfx.errors import UsageError
from tfx.jsonbody import write

RECORDED = Path(__file__).parents[2] / "cassettes" / "session-us.json"


class Kept(NamedTuple):
    """A copy of a committed cassette, and a report that only these exchanges of it were used."""

    cassette: Path
    report: Path

    def told(self, *used: int, left_out: str = "") -> None:
        usage = Usage()
        usage.note(str(self.cassette), used, dict.fromkeys(range(1, 11), "GET x"))
        self.report.write_text(json.dumps(usage.report(left_out=left_out, root=self.cassette.parents[1])), "utf-8")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    path = store.save(store.load(RECORDED), tmp_path / "cassettes")
    made = Kept(cassette=path, report=tmp_path / "usage.json")
    made.told(*range(1, 10))
    return made


def asked(command: Callable[..., object], *arguments: object) -> Ran:
    found = CliRunner().invoke(command, [str(one) for one in arguments], standalone_mode=False)  # type: ignore[arg-type]  # a command
    if found.exception:
        raise found.exception
    return found


def test_what_was_not_used_is_removed_and_the_rest_is_a_clean_cassette(kept: Kept) -> None:
    before = store.load(kept.cassette)
    checked = asked(prune, kept.cassette, "--usage", kept.report, "--check")
    assert checked.return_value == 1
    assert checked.output == (
        "unused: #10 GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{assignmentId}, 580 pump events\n"
        "after that, nothing answers: GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{assignmentId}\n"
        "tfx prune would delete all 580 pump events (--without-events)\n"
        f"{kept.cassette}: 1 of 10 exchanges are unused\n"
    )
    assert store.load(kept.cassette) == before, "--check writes nothing"
    with pytest.raises(UsageError, match=r"would delete all 580 pump events of .*, and the service may not have them any more"):
        asked(prune, kept.cassette, "--usage", kept.report)
    assert store.load(kept.cassette) == before, "the last pump events go only by name"
    done = asked(prune, kept.cassette, "--usage", kept.report, "--without-events", "--json")
    assert (json.loads(done.output)["written"], json.loads(done.output)["events"]) == (True, 580)
    after = store.load(kept.cassette)
    assert after.exchanges == before.exchanges[:9]
    assert run(["sanitize", "--check", str(kept.cassette)]) == 0


@pytest.mark.parametrize("values", ["keep", "synthetic"])
def test_without_its_first_window_a_cassette_is_clean_all_the_same(kept: Kept, values: str) -> None:
    whole = store.load(RECORDED)
    *others, last = whole.exchanges
    answer = json.loads(decoded(last.response.headers, last.response.body))
    windows = []
    for part in (slice(None, 100), slice(100, None)):
        body = encoded(last.response.headers, write({"events": answer["events"][part], "clockChanges": []}))
        windows.append(last.replacing(response=replace(last.response, body=body)))
    store.save(again(replace(whole, exchanges=(*others, *windows)), values).cassette, kept.cassette.parent)
    kept.told(*range(1, 10), 11)
    output = asked(prune, kept.cassette, "--usage", kept.report).output
    assert output.startswith("removing: #10 GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{assignmentId}, 100 pump events\n")
    assert "nothing answers" not in output, "another window does"
    after = store.load(kept.cassette)
    assert (len(after.exchanges), after.values) == (10, values)
    assert run(["sanitize", "--check", str(kept.cassette)]) == 0


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("another cassette", "does not speak of"),
        ("changed since", "has changed since"),
        ("a partial run", "left something out, so it cannot say which exchanges are unused: paths were named"),
        ("nothing used", "pruning would leave nothing of it"),
        ("no report", "is not a usage report of this tfx"),
        ("no file", "cannot be read"),
    ],
)
def test_a_report_that_says_nothing_of_it_removes_nothing(kept: Kept, why: str, words: str) -> None:
    breaks: dict[str, Callable[[], object]] = {
        "another cassette": lambda: kept.report.write_text(kept.report.read_text().replace("session-us", "session-x")),
        "changed since": lambda: store.save(replace(store.load(kept.cassette), policy=99), kept.cassette.parent),
        "a partial run": lambda: kept.told(1, left_out="paths were named"),
        "nothing used": kept.told,
        "no report": lambda: kept.report.write_text("{}"),
        "no file": kept.report.unlink,
    }
    breaks[why]()
    data = kept.cassette.read_bytes()
    with pytest.raises(UsageError, match=words):
        asked(prune, kept.cassette, "--usage", kept.report)
    assert kept.cassette.read_bytes() == data


def test_a_copy_of_another_suffix_is_not_pruned_into_the_cassette(kept: Kept) -> None:
    data = kept.cassette.read_bytes()
    copy = kept.cassette.with_suffix(".old")
    copy.write_bytes(data)
    kept.report.write_text(kept.report.read_text("utf-8").replace(kept.cassette.name, copy.name), "utf-8")
    with pytest.raises(UsageError, match=r"\.old does not end in \.json, as the pruned cassette would"):
        asked(prune, copy, "--usage", kept.report, "--without-events")
    assert kept.cassette.read_bytes() == data


def test_a_run_nobody_signed_in_for_does_not_cost_the_sign_in(kept: Kept) -> None:
    kept.told(9, 10)
    data = kept.cassette.read_bytes()
    with pytest.raises(UsageError, match=r"without a sign-in, .* --without-login"):
        asked(prune, kept.cassette, "--usage", kept.report, "--check")
    assert kept.cassette.read_bytes() == data
    asked(prune, kept.cassette, "--usage", kept.report, "--without-login")
    assert len(store.load(kept.cassette).exchanges) == 2


def test_the_report_of_tfx_replay_serves_as_well(kept: Kept, capfd: pytest.CaptureFixture[str]) -> None:
    program = "import requests; requests.get('https://sso.tandemdiabetes.com/')"
    assert run(["replay", str(kept.cassette), "--json", "--fault", "sso-page:1:503", "--", "-c", program]) == 0
    kept.report.write_text(capfd.readouterr().out)
    asked(prune, kept.cassette, "--usage", kept.report, "--without-events")
    assert [one.request.url for one in store.load(kept.cassette).exchanges] == ["https://sso.tandemdiabetes.com/"]


def test_cassettes_that_no_test_plays_are_listed(kept: Kept) -> None:
    folder = kept.cassette.parent
    assert asked(orphans, "--usage", kept.report, "--cassettes", folder).return_value == 0
    other = store.save(replace(store.load(kept.cassette), name="other"), folder)
    found = asked(orphans, "--usage", kept.report, "--cassettes", folder)
    assert (found.return_value, found.output) == (1, f"{other}\n1 of 2 unused\n")
    kept.told(1, left_out="paths were named")
    with pytest.raises(UsageError, match="cannot say which cassettes are unused: paths were named"):
        asked(orphans, "--usage", kept.report, "--cassettes", folder)
    assert fingerprint(other) != fingerprint(kept.cassette)
