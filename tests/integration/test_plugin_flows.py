"""The plugin's cassettes in a project of their own: several at once, by parameter, shared by a class or module, counted over processes."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tape
from strangers import MARK, Project, project_of

from replayer.guard.hook import GUARD, LOOPBACK
from replayer.usage.usage import fingerprint
from simulator.account import account
from simulator.proxy import running
from tfx import store

pytest_plugins = ["pytester"]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Iterator[Project]:
    with project_of(pytester) as made:
        yield made


def other(project: Project, *numbers: int) -> None:
    """A second cassette of the session, with these of its exchanges."""
    session = tape.session()
    exchanges = tuple(session.exchanges[number - 1] for number in numbers)
    store.save(replace(session, name="other", exchanges=exchanges), project.folder / "cassettes")


def test_stacked_markers_play_together_the_closest_first(project: Project) -> None:
    other(project, 1, 7)
    text = f"""
JWKS = "https://tdcservices.tandemdiabetes.com/accounts/api/.well-known/openid-configuration/jwks"
@pytest.mark.cassette("other")
{MARK}def test_one(cassette, cassettes):
    assert cassette.cassette.name == "small" and list(cassettes) == ["small", "other"]
    assert ask() == 200 and cassettes["small"].used == (1,) and cassettes["other"].used == ()
    assert ask() == 200 and cassettes["other"].used == (1,), "what the first has used up the second may still have"
    assert ask_keys() == 200 and requests.get(JWKS).status_code == 200
    with pytest.raises(BaseException, match="no exchange on small answers"):
        ask()
    assert len(cassette.forgive()) == 1
"""
    code, output = project.run(text)
    assert code == 0, output


def test_a_parameter_names_the_cassette(project: Project) -> None:
    other(project, 1)
    text = f"""
@pytest.mark.parametrize("cassette", ["small", "other"], indirect=True)
def test_one(cassette): assert ask() == 200 and cassette.used == (1,)

@pytest.mark.parametrize("turn", [pytest.param(n, marks=pytest.mark.cassette(n)) for n in ("small", "other")])
def test_two(turn, cassette): assert ask() == 200

{MARK}def test_three(): ask_keys()
"""
    code, output = project.run(text)
    assert (code, "5 passed" in output) == (0, True), output


def test_a_class_or_a_module_shares_one_replay(project: Project) -> None:
    other(project, 1, 7)
    text = """
pytestmark = pytest.mark.cassette("small", scope="module")

@pytest.fixture(scope="class")
def signed_in(class_cassette): return ask()

@pytest.mark.cassette("other", scope="class")
class TestBoth:
    def test_one(self, signed_in, cassette): assert (signed_in, cassette.used, cassette.cassette.name) == (200, (1,), "other")
    def test_two(self, signed_in, cassettes):
        assert requests.get("https://tdcservices.tandemdiabetes.com/accounts/api/.well-known/openid-configuration/jwks").status_code == 200
        assert list(cassettes) == ["other", "small"] and cassettes["other"].used == (1, 2)

def test_three(cassette): assert ask() == 200 and ask_keys() == 200
def test_four(cassette): assert cassette.used == (1, 2)
"""
    code, output = project.run(text)
    assert code == 0, output
    misses = text + "def test_five():\n    try: ask()\n    except BaseException: pass\ndef test_six(): pass\n"
    code, output = project.run(misses)
    assert (code, "1 failed, 5 passed" in output) == (1, True), "a miss is held against the test that made it, and no other"
    code, output = project.run("@pytest.mark.cassette('small', scope='class')\ndef test_one(): ask()")
    assert 'scope="class" belongs on the class whose tests share the cassette' in output


def test_faults_and_the_clock_are_the_markers_and_the_ini_files_to_say(project: Project) -> None:
    text = """
import time
@pytest.mark.cassette("small", faults=["sso-page:1:429"])
def test_one():
    assert [ask(), ask(), ask_keys()] == [429, 200, 200]
    before = time.time(); time.sleep(5000)
    assert time.time() - before >= 5000
@pytest.mark.cassette("small", faults=["sso-page:2:429"])
def test_two(): ask()
@pytest.mark.cassette("small", faults=["sso-page:2:bogus"])
def test_three(): ask()
"""
    code, output = project.run(text, ini="tfx_virtual_clock = true")
    assert code == 1
    assert "the fault sso-page:2:429 was never met" in output
    assert "no fault is called 'bogus'" in output
    assert "1 failed, 1 passed, 1 error" in output or "2 failed, 1 passed" in output, output


REPORTED = f"{MARK}def test_one(): ask()\n{MARK}@pytest.mark.parametrize('turn', [1, 2])\ndef test_two(turn): ask()\n"


def test_a_report_says_which_test_used_what(project: Project) -> None:
    code, output = project.run(REPORTED, "--cassette-report", "usage.json")
    assert (code, "unused: small #2" in output) == (1, True), output
    found = json.loads((project.folder / "usage.json").read_text("utf-8"))
    path = project.folder / "cassettes" / "small.json"
    assert found == {
        "tfx_usage": 1,
        "whole": True,
        "left_out": "",
        "cassettes": {
            "cassettes/small.json": {
                "sha256": fingerprint(path),
                "whole": True,
                "used": [1],
                "unused": {"2": "GET tdcservices.tandemdiabetes.com/accounts/api/.well-known/openid-configuration"},
                "tests": ["test_it.py::test_one", "test_it.py::test_two[1]", "test_it.py::test_two[2]"],
            }
        },
    }
    project.run(REPORTED, "--cassette-report", "usage.json", "-k", "one")
    assert json.loads((project.folder / "usage.json").read_text("utf-8"))["whole"] is False


FORKING = """
import os
from _pytest.runner import runtestprotocol
def pytest_addoption(parser): parser.addoption("--forked", action="store_true")
def pytest_runtest_protocol(item):  # as pytest-forked does it
    child = os.fork()
    if not child:
        reports = runtestprotocol(item, log=False)
        os._exit(any(report.failed for report in reports))
    failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    item.session.testsfailed += failed
    return True
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_forked_tests_use_adds_up(project: Project) -> None:
    (project.folder / "conftest.py").write_text(FORKING)
    both = f"{MARK}def test_one(): assert ask() == 200\n{MARK}def test_two(): assert ask_keys() == 200\n"
    code, output = project.run(both, "--forked", "--cassette-report", "usage.json")
    assert code == 0, output
    assert json.loads((project.folder / "usage.json").read_text("utf-8"))["cassettes"]["cassettes/small.json"]["used"] == [1, 2]
    code, output = project.run(REPORTED, "--forked")
    assert (code, "unused: small #2" in output) == (1, True), output


def test_recording_is_never_implied_and_refused_in_ci(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CI", raising=False)
    code, output = project.run("@pytest.mark.cassette('none')\ndef test_one(): ask()")
    assert (code, "none.json does not exist; record it with" in output) == (1, True), output
    assert not (project.folder / "cassettes" / "none.json").exists()
    code, output = project.run("@pytest.mark.cassette('none')\ndef test_one(): pass", "--tfx-record")
    assert (code, "nothing was written: the program got no answer" in output) == (1, True), output
    code, output = project.run("@pytest.mark.cassette('small')\ndef test_one(): assert False", "--tfx-record")
    assert (code, "nothing was recorded, for the run failed; the cassettes are as they were" in output) == (1, True), output
    code, output = project.run(f"{MARK}def test_one(): ask()", "--tfx-record", "-n", "2")
    assert (code, "--tfx-record records in one process" in output) == (4, True), output
    monkeypatch.setenv("CI", "1")
    code, output = project.run(f"{MARK}def test_one(): ask()", "--tfx-record")
    assert (code, "--tfx-record is refused in CI" in output) == (4, True), output


def test_marked_tests_record_what_they_ask_and_then_replay_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    now = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
    text = "@pytest.mark.cassette('fresh')\ndef test_one(): assert (ask(), ask_keys()) == (200, 200)\n"
    with monkeypatch.context() as patched, running(account(now=now, days=0.25), now=now) as stand_in, GUARD.allowing([LOOPBACK]):
        for name, value in stand_in.environment.items():
            patched.setenv(name, value)
        code, output = project.run(text, "--tfx-record")
    assert code == 0, output
    assert [one.request.method for one in store.load(project.folder / "cassettes" / "fresh.json").exchanges] == ["GET", "GET"]
    code, output = project.run(text)
    assert (code, "1 passed" in output) == (0, True), output
