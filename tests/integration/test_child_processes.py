"""Processes that a test starts while its cassette plays carry guard and cassette, and what they do counts as its own."""

import concurrent.futures
import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import tape
from child_work import ask, reach
from strangers import Project, project_of

from replayer.guard import GUARD, LOOPBACK
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
            child = os.fork()
            if child == 0:
                ends = (ask(SSO_URL), reach(), ask(f"{SSO_URL}no"))
                os._exit(ends == (200, "NetworkBlockedError", "MismatchError"))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
            assert replay.used == (1,)
            assert [re.sub(r":\d+", ":N", words.partition("\n")[0]) for words in replay.misses] == [
                "no exchange on session answers GET sso.tandemdiabetes.com/<text>, at child_work.py:N"
            ]
            assert [re.sub(r"\d+$", "N", words) for words in replay.blocked] == ["reach <IPv4 address>:9 (getaddrinfo), at child_work.py:N"]
            replay.forgive()
            assert not replay.blocked
    finally:
        GUARD._allowed[LOOPBACK] = kept
