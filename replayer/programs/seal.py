"""Start a program in its own network namespace: the parent's side of `bootstrap/sealed.py`. Starts processes.

Linux with user namespaces; elsewhere the program runs in the machine's network, and what it does past the proxy is not seen.
"""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tfx.errors import UsageError
from tfx.interrupted import heard

HELPER: Final = Path(__file__).with_name("bootstrap") / "sealed.py"
_LINE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A program's exit code as a shell says it, and how often it wanted to go where no way leads."""

    code: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Waiting:
    """A program about to start. `listener` is a socket that listens in its network; None where that is the machine's own."""

    listener: socket.socket | None
    _line: socket.socket
    _process: subprocess.Popen[bytes]

    def run(self, environment: Mapping[str, str]) -> Ended:
        """Start the program with this environment and wait for it; a polite kill is passed on.

        Raises:
            UsageError: it cannot be started.
        """
        with heard(self._pass_on):
            self._line.sendall(json.dumps(dict(environment)).encode() + b"\n")
            said = self._line.makefile("rb").readline()
            self._process.wait()
        told = json.loads(said) if said else {"code": 128 - (self._process.returncode or 0), "attempts": 0}
        if "error" in told:
            raise UsageError(f"the program cannot be started ({told['error']}); name one that can")
        return Ended(code=told["code"], attempts=told["attempts"])

    def _pass_on(self, number: int) -> None:
        # Ctrl-C the terminal sends to the program itself; its answer is the outcome.
        if number == signal.SIGTERM:
            self._process.terminate()


@contextmanager
def network_of_its_own(words: Sequence[str], *, sealed: bool = True, quiet: bool = False) -> Iterator[Waiting]:
    """A process that waits for an environment to run the program in; unless `sealed`, in the machine's network after all.

    `quiet` sends what the program prints to stderr.
    """
    ours, theirs = socket.socketpair()
    with ours:
        command = [sys.executable, "-I", str(HELPER), str(theirs.fileno()), "sealed" if sealed else "unsealed", *words]
        with theirs:
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdout=sys.stderr.fileno() if quiet else None)  # noqa: S603  # it is what the user asked to run
        with process:
            try:
                said, handles, _, _ = socket.recv_fds(ours, _LINE, 1)
                if not said:
                    raise UsageError("no network of its own could be made for the program; run it in the machine's with --unsealed")
                with ExitStack() as stack:
                    listener = stack.enter_context(socket.socket(fileno=handles[0])) if handles else None
                    yield Waiting(listener=listener, _line=ours, _process=process)
            finally:
                if process.poll() is None:
                    process.terminate()
