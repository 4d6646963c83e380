"""`--forked` with the versions that work together, in an environment of their own: pytest-forked 1.6.0 breaks with pytest 9.2."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tape import session

from tfx import store

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-pytest-forked" / "bin" / "python"
URLS = [one.request.url for one in session().exchanges]
TESTS = f"""
import os, pytest, requests
pytestmark = pytest.mark.cassette("small")
def test_the_page(): assert requests.get({URLS[0]!r}).ok
def test_the_keys(): assert requests.get({URLS[5]!r}).ok
def test_a_crash(): os.abort()
def test_a_miss():
    try: requests.get({URLS[0]!r} + "nope")
    except BaseException: pass
def test_a_connection():
    import socket
    try: socket.create_connection(("127.0.0.1", 9))
    except BaseException: pass
"""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [str(PYTHON), "-m", "pytest", "-p", "replayer.plugin", "-p", "no:cacheprovider", "-q", "--forked", *arguments]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_forked_tests_pass_fail_and_add_up(tmp_path: Path) -> None:
    small = replace(session(), name="small", exchanges=(session().exchanges[0], session().exchanges[5]))
    store.save(small, tmp_path / "cassettes")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    chosen = "test_the_page or test_the_keys"
    code, said = run(tmp_path, "-k", chosen, "--cassette-report", "usage.json")
    assert (code, "2 passed" in said) == (0, True), said
    assert json.loads((tmp_path / "usage.json").read_text())["cassettes"]["cassettes/small.json"]["used"] == [1, 2]
    code, said = run(tmp_path)
    assert (code, "3 failed, 2 passed" in said) == (1, True), said
    assert "CRASHED with signal 6" in said
    assert "no exchange on small answers GET" in said
    assert "tried to connect to loopback:9" in said
