"""A user's project with one cassette of two exchanges, in which tests run pytest."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import tape

from replayer.guard.hook import GUARD
from replayer.guard.hook import LOOPBACK as LOOPBACK_ENTRY
from tfx import store

HALF = "import requests\ndef ask(): return requests.get('https://sso.tandemdiabetes.com/').status_code\n"
REST = "def ask_keys(): return requests.get('https://tdcservices.tandemdiabetes.com/accounts/api/.well-known/openid-configuration').status_code\n"
REACH = """
import contextlib, socket
def reach():
    with contextlib.suppress(BaseException):
        socket.create_connection(("192.0.2.1", 9), timeout=0.01)
"""
MISS = """
import os
def miss():
    with contextlib.suppress(BaseException):
        requests.get("https://sso.tandemdiabetes.com/nope")
"""
LOOPBACK = """
import socket
def connect():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
"""
SESSION = tape.session()  # signed now: pytester forgets what its tests import, and the RSA library cannot be imported twice
MARK = "@pytest.mark.cassette('small')\n"


class Project:
    """A stranger's project with one cassette of two exchanges. What its runs provoke is not held against this run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.folder, self._pytester = pytester.path, pytester
        small = replace(SESSION, name="small", exchanges=(SESSION.exchanges[0], SESSION.exchanges[5]))
        store.save(small, self.folder / "cassettes")

    def run(self, text: str, *arguments: str, ini: str = "", apart: bool = False) -> tuple[int, str]:
        """Exit code and output of a run over these tests, in this process unless it must be `apart`."""
        (self.folder / "pytest.ini").write_text(f"[pytest]\naddopts = --strict-markers\n{ini}\n")
        (self.folder / "test_it.py").write_text(f"import pytest\n{HALF}{REST}{REACH}{MISS}{LOOPBACK}{text}")
        line = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:pytest_alembic", *arguments]
        with GUARD.expecting():
            done = self._pytester.runpytest_subprocess(*line) if apart else self._pytester.runpytest_inprocess(*line)
        return int(done.ret), done.stdout.str() + done.stderr.str()


@contextmanager
def project_of(pytester: pytest.Pytester) -> Iterator[Project]:
    """This run lets loopback through; a stranger's does not."""
    kept = GUARD._allowed[LOOPBACK_ENTRY]
    GUARD._allowed[LOOPBACK_ENTRY] = 0
    yield Project(pytester)
    GUARD._allowed[LOOPBACK_ENTRY] = kept
