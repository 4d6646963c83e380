"""The network guard of a pytest run: on from the first moment or from the end of collection, until the run or its process ends."""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

COUNTED: pytest.StashKey[int] = pytest.StashKey()
"""How many attempts were known when the outcome of the run was decided."""
PASSED: pytest.StashKey[bool] = pytest.StashKey()
_GUARD: pytest.StashKey[ExitStack] = pytest.StashKey()
_FIRST: Final[list[pytest.Config]] = []
_KEPT: Final[list[ExitStack]] = []
"""Guards that last as long as the process."""
_OWNER: Final = os.getpid()


def note_run(config: pytest.Config) -> None:
    """The first run of a process may be what the process was started for."""
    if not _FIRST:
        _FIRST.append(config)


def is_blocked(config: pytest.Config) -> bool:
    """Whether this run blocks the network."""
    return _GUARD in config.stash


def block(config: pytest.Config) -> None:
    """Block the network from now on."""
    if is_blocked(config):
        return
    from replayer.guard.hook import GUARD, LOOPBACK, blocked

    GUARD.player = "pytest"
    config.stash[_GUARD] = ExitStack()
    if _is_all(config):
        # Before any test can register a handler: what is registered last is called first.
        atexit.register(_last_word, config)
    if _blocks_programs(config):
        from replayer.programs.child_processes import fork_exec_asking_first

        config.stash[_GUARD].enter_context(fork_exec_asking_first())
    sockets = [f"unix:{path}" for path in config.getini("tfx_allow_sockets")]
    config.stash[_GUARD].enter_context(blocked([*sockets, *([LOOPBACK] if config.getini("tfx_allow_loopback") else [])]))


def unblock(config: pytest.Config) -> None:
    """Unblock it after the last test, unless this process has nothing else to do than to end: threads and handlers may linger."""
    if not is_blocked(config):
        return
    if hasattr(config, "workerinput") or (_is_all(config) and os.getpid() == _OWNER):
        _KEPT.append(config.stash[_GUARD])
    else:
        config.stash[_GUARD].close()


@contextmanager
def around(item: pytest.Item) -> Iterator[None]:
    """A test marked `loopback` may connect to it, its fixtures included; programs are refused even if no cassette plays, if ini says so."""
    from replayer.guard.hook import GUARD, LOOPBACK

    with ExitStack() as stack:
        if item.get_closest_marker("loopback"):
            stack.enter_context(GUARD.allowing([LOOPBACK]))
        if _blocks_programs(item.config):
            # Not for longer: xdist's controller, which runs no test, starts its workers.
            stack.enter_context(GUARD.watching(item.config.getini("tfx_allow_programs")))
        yield


def _blocks_programs(config: pytest.Config) -> bool:
    said = config.getini("tfx_block_programs")
    return bool(config.getini("tfx_block_network") if said is None else said)


def _is_all(config: pytest.Config) -> bool:
    """Whether this run is what the process was started for, and no run inside a run or a program's."""
    started = Path(sys.argv[0])
    return _FIRST[:1] == [config] and ("pytest" in (started.stem, started.parent.name) or started.stem == "py.test")


def _last_word(config: pytest.Config) -> None:
    """Say what was tried after the last test; a run that passed fails by it, for which at this time there is only one way."""
    from replayer.guard.hook import GUARD

    if os.getpid() != _OWNER:
        return
    late = [] if not _KEPT else GUARD.attempts[config.stash.get(COUNTED, 0) :]
    for attempt in dict.fromkeys(late):
        print(f"tfx: the run fails: blocked after the last test: tried to {attempt}", file=sys.stderr)  # noqa: T201  # pytest's own reporter is gone
    if config.stash.get(PASSED, False) and late:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(pytest.ExitCode.TESTS_FAILED)
