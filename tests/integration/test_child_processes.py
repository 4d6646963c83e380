"""Processes that a test starts while its cassette plays carry guard and cassette, and what they do counts as its own."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tape
from child_work import ask, reach
from forking import forked
from strangers import Project, project_of

from replayer.guard.hook import GUARD, LOOPBACK
from replayer.guard.inherited import inherited
from replayer.session import offline
from tandem.regions import SSO_URL
from tfx.errors import MismatchError, NetworkBlockedError, UnusedError

pytest_plugins = ["pytester"]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Iterator[Project]:
    with project_of(pytester) as made:
        yield made


@pytest.mark.parametrize("how", ["spawn", "forkserver"])
def test_processes_of_multiprocessing_are_served_and_guarded(how: str) -> None:
    before = dict(os.environ)
    kept = GUARD._allowed[LOOPBACK]
    GUARD._allowed[LOOPBACK] = 0
    try:
        with offline(tape.session()) as replay:
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(how)) as pool:
                assert pool.submit(ask, SSO_URL).result() == 200
                assert pool.submit(reach).result() == "NetworkBlockedError"
                assert pool.submit(ask, f"{SSO_URL}no").result() == "MismatchError"
            assert replay.used == (1,)
            assert len(replay.misses) == 1
            assert len(replay.blocked) == 1
            assert re.fullmatch(r"reach <IPv4 address>:9 \(getaddrinfo\), at child_work\.py:\d+", replay.blocked[0])
            with pytest.raises(MismatchError):
                replay.check()
            replay.forgive()
    finally:
        GUARD._allowed[LOOPBACK] = kept
    assert dict(os.environ) == before


def test_a_subprocess_of_this_python_is_one_of_ours_with_the_cassettes_behind_and_the_faults() -> None:
    program = f"import requests; print([requests.get({SSO_URL!r}).status_code for _ in range(3)])"
    again = tape.with_exchanges(tape.session(), tape.session().exchanges[0])
    with offline(again) as behind, offline(tape.session(), faults=["sso-page:1:429"], behind=behind) as replay:
        line = [sys.executable, "-c", program]
        assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "[429, 200, 200]\n"
        replay.check()
        with pytest.raises(NetworkBlockedError, match="start python"):
            subprocess.run([sys.executable, "-I", "-c", "1"], check=True)
        assert len(replay.blocked) == 1
        replay.forgive()
    with offline(tape.session(), faults=["jwks:1:429"]) as replay:
        subprocess.run([sys.executable, "-c", "1"], check=True)
        with pytest.raises(UnusedError, match="jwks:1:429 was never met"):
            replay.check()


def test_what_a_process_of_a_test_does_is_held_against_the_test(project: Project) -> None:
    (project.folder / "work.py").write_text(
        "import requests\ndef swallow(url):\n    try: return requests.get(url).status_code\n    except BaseException: return None\n"
    )
    text = """
import multiprocessing, work
@pytest.mark.cassette("small")
def test_one():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(work.swallow, ["https://sso.tandemdiabetes.com/", "https://sso.tandemdiabetes.com/no"]) == [200, None]
"""
    code, output = project.run(text)
    assert (code, "1 failed" in output, "no exchange on small answers GET sso.tandemdiabetes.com/<text>" in output) == (1, True, True), (
        output
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_what_a_forked_process_does_counts_here_in_words() -> None:
    kept = GUARD._allowed[LOOPBACK]
    GUARD._allowed[LOOPBACK] = 0
    try:
        with offline(tape.session()) as replay:
            ends = (200, "NetworkBlockedError", "MismatchError")
            assert forked(lambda: (ask(SSO_URL), reach(), ask(f"{SSO_URL}no")) == ends)()
            assert replay.used == (1,)
            assert [re.sub(r":\d+", ":N", words.partition("\n")[0]) for words in replay.misses] == [
                "no exchange on session answers GET sso.tandemdiabetes.com/<text>, at child_work.py:N"
            ]
            assert [re.sub(r"\d+$", "N", words) for words in replay.blocked] == ["reach <IPv4 address>:9 (getaddrinfo), at child_work.py:N"]
            replay.forgive()
            assert not replay.blocked
    finally:
        GUARD._allowed[LOOPBACK] = kept


def run_shell_free(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def run_by_exec(program: str) -> None:
    os.execv(sys.executable, [sys.executable, "-c", program])


def run_by_spawn(program: str) -> None:
    os._exit(os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", program]))


def run_by_path(program: str) -> None:
    os.execvp(sys.executable, [sys.executable, "-c", program])


def run_by_multiprocessing(program: str) -> None:
    process = multiprocessing.get_context("spawn").Process(target=exec, args=(program,))
    process.start()
    process.join()


WAYS = (run_shell_free, run_by_exec, run_by_spawn, run_by_path, run_by_multiprocessing)
UNGUARDED: dict[str, Callable[[], object]] = {
    "another path": lambda: os.putenv("PYTHONPATH", "/nowhere"),
    "no path": lambda: os.unsetenv("PYTHONPATH"),
    "no cassette": lambda: os.unsetenv("TFX_REPLAY_CASSETTE"),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.parametrize("way", WAYS)
def test_an_environment_changed_behind_the_back_of_python_lets_nobody_out(way: Callable[[str], None], tmp_path: Path) -> None:
    """A program given no environment inherits C's, which `os.putenv` changes and `os.environ` does not show."""
    for number, change in enumerate(UNGUARDED.values()):
        out = tmp_path / str(number)

        def outside(change: Callable[[], object] = change, out: Path = out) -> None:
            with contextlib.suppress(BaseException):
                change()
                way(f"open({str(out)!r}, 'w').close()")

        with offline(tape.session()) as replay:
            forked(outside)()
            assert [words.partition(",")[0] for words in replay.blocked] == [f"start {os.path.basename(sys.executable)}"]  # noqa: PTH119  # as the guard writes it
            replay.forgive()
        assert not out.exists()


@pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="nothing is spawned so here")
def test_the_inherited_environment_is_what_a_program_gets() -> None:
    os.putenv("TFX_TEST_NAME", "given")
    try:
        assert inherited()["TFX_TEST_NAME"] == "given"
        assert {name: value for name, value in inherited().items() if name in os.environ} == dict(os.environ)
    finally:
        os.unsetenv("TFX_TEST_NAME")
    assert "TFX_TEST_NAME" not in inherited()
