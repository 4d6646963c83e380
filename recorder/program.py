"""Record another Python program: start it in a child process that records its requests, and receive the exchanges through a pipe."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import BinaryIO, Final

from recorder.serialized import deserialize
from recorder.unrecorded import RECORDABLE
from tandem.clients import without_caches
from tandem.endpoints import locate, region_of
from tandem.eras import CURRENT
from tandem.regions import HOSTS
from tfx.errors import UsageError
from tfx.exchange import Exchange

LENGTH_SIZE: Final = 4
EXCHANGE: Final = b"E"
"""The kind of a record in the pipe: an exchange follows."""
UNRECORDED: Final = b"U"
"""The same: the name of a library follows, which connected to Tandem Source without being recorded."""
UNFINISHED: Final = b"F"
"""The same: the method and path template of a request that got no whole answer."""
NOT_FOUND: Final = 404
PYTHONS: Final = ("python", "python3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A program that ran to its end.

    `unrecorded` counts connections to Tandem Source that were not recorded, by library; `unfinished` requests without a whole answer, by
    method and path template.
    """

    exit_code: int
    exchanges: tuple[Exchange, ...]
    unrecorded: Mapping[str, int]
    unfinished: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Ran({len(self.exchanges)} exchanges)"


def run(command: Sequence[str]) -> Ran:
    """Run the program to its end, and receive what it fetches from Tandem Source. Nothing of that touches a file.

    Raises:
        UsageError: the command is not a Python program.
    """
    program = resolved(command)
    reading, writing = os.pipe()
    received: list[tuple[bytes, bytes]] = []
    with os.fdopen(reading, "rb") as pipe:
        thread = Thread(target=lambda: received.extend(_receive(pipe)))
        thread.start()
        try:
            child = [sys.executable, "-m", "recorder.child", str(writing), *program]
            done = subprocess.run(child, pass_fds=(writing,), env=without_caches(os.environ), check=False)  # noqa: S603  # the person's own program
        finally:
            os.close(writing)
            thread.join()
    exchanges = tuple(deserialize(letter) for kind, letter in received if kind == EXCHANGE)
    unrecorded, unfinished = (Counter(letter.decode() for kind, letter in received if kind == one) for one in (UNRECORDED, UNFINISHED))
    ended = 128 - done.returncode if done.returncode < 0 else done.returncode  # by a signal: as a shell counts
    return Ran(exit_code=ended, exchanges=exchanges, unrecorded=unrecorded, unfinished=unfinished)


def resolved(command: Sequence[str]) -> tuple[str, ...]:
    """The command as the child takes it: `-m MODULE ARGS` or `FILE ARGS`.

    Raises:
        UsageError: it is neither a module, a file nor an installed Python script.
    """
    words = list(command)
    if words and Path(words[0]).name in {*PYTHONS, Path(sys.executable).name}:
        words = words[1:]
    if len(words) > 1 and words[0] == "-m":
        return tuple(words)
    if words and not words[0].startswith("-"):
        found = words[0] if Path(words[0]).is_file() else shutil.which(words[0])
        if found is not None and _is_python(Path(found)):
            return (found, *words[1:])
    raise UsageError("what follows -- is not a Python program; name a .py file, -m MODULE, or a script that Python runs")


def _is_python(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == ".py" or b"python" in file.readline(200)


def _receive(pipe: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := pipe.read(1 + LENGTH_SIZE)) == 1 + LENGTH_SIZE:
        size = int.from_bytes(head[1:], "big")
        letter = pipe.read(size)
        if len(letter) == size:  # else the child was killed in mid-word
            yield head[:1], letter


def region_and_era(exchanges: Sequence[Exchange]) -> tuple[str, str]:
    """Which cloud and which state of the API a program spoke to, by what it asked for.

    Raises:
        UsageError: it got no answer, or asked both clouds.
    """
    urls = [exchange.request.url for exchange in exchanges]
    regions = {region for url in urls if (region := region_of(url))}
    if not exchanges:
        raise UsageError(
            f"the program got no answer from Tandem Source ({', '.join(HOSTS)}) through {RECORDABLE}, which is all that can be recorded"
        )
    if len(regions) > 1:
        raise UsageError("the program asked both clouds, and a cassette holds one; record one region at a time")
    # A dead endpoint that was tried and answered 404 says nothing about the era but that it has passed.
    answered = [exchange.request for exchange in exchanges if exchange.response.status != NOT_FOUND]
    names = {place.endpoint.name for request in answered if (place := locate(request.method, request.url))}
    return (regions.pop() if regions else "us"), _era(names, urls)


def _era(names: AbstractSet[str], urls: Iterable[str]) -> str:
    if names & {"pump-events", "pump-event-metadata"}:
        return "2025"
    return "2026-07" if any("eventIds=" in url for url in urls) else CURRENT
