"""Answer every HTTP library of this process from a cassette, with the network blocked.

with offline(cassette) as replay:
requests.get("https://source.tandemdiabetes.com/...")
assert not replay.unused
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Unpack

from replayer import clock
from replayer.guard.hook import GUARD, blocked
from replayer.programs.child import Options
from replayer.programs.child_processes import ChildReport, carried_into_children
from replayer.replay import Replay
from tandem.faults import Fault
from tfx.cassette import Cassette

__tracebackhide__ = True  # pytest --showlocals would print the live request


@contextmanager
def offline(
    cassette: Cassette | Path | str,
    *,
    strict_windows: bool = False,
    freeze: bool = False,
    virtual_clock: bool = False,
    faults: Iterable[Fault | str] = (),
    as_era: str | None = None,
    signed_in: bool = False,
    behind: Replay | None = None,
    allow: tuple[str, ...] = (),
    allow_programs: tuple[str, ...] = (),
) -> Iterator[Replay]:
    """Everything this process asks over HTTP is answered from the cassette while this lasts; the network is blocked.

    `cassette`: one that was read, its path, or its name in cassettes/.
    requests, urllib.request, httpx, aiohttp, urllib3 and http.client are served; anything else meets the guard. `strict_windows`
    answers recorded windows only;
    `freeze` sets the clock to the cassette's, from where it runs on; on a `virtual_clock` waiting costs no time (`clock.py`).
    `faults` say what goes wrong: `pump-logs:2:500`, `any:3:reset`, `pump-logs:1+:late=40` (`tandem/faults.py`).
    `as_era` serves the cassette as that era's (`2025`, `2026-07`, `2026-10`), as far as the recording holds what it takes.
    `signed_in`: a client may come with the cookies and tokens of the cassette, as one does that signed in before; otherwise they are good
    once this replay handed them out.
    `allow` may name hosts the guard lets through, `loopback` or `unix:/path`.
    Processes of this very Python, multiprocessing's among them, carry guard and cassette (each with a replay of its own); other programs
    are not started, for they would not be offline; `allow_programs` names (by base name) those that may.
    May nest: the innermost cassette answers, and what it lacks the replay given as `behind`.

    Raises:
        CassetteError: the cassette cannot be read, or not be served as that era's.
        UsageError: an era or a fault that cannot be, or `freeze` without time-machine.
    """
    from replayer.stacks import patches

    if not isinstance(cassette, Cassette):
        from tfx.named import named
        from tfx.store import opened

        cassette = opened(named(Path(cassette)))
    replay = Replay(cassette, strict_windows=strict_windows, faults=faults, as_era=as_era, signed_in=signed_in, behind=behind)
    with ExitStack() as stack:
        stack.enter_context(blocked(allow))
        stack.enter_context(
            _carried(
                replay,
                freeze=freeze,
                virtual_clock=virtual_clock,
                strict_windows=strict_windows,
                signed_in=signed_in,
                faults=map(str, replay.faults),
                programs=allow_programs,
                allowed=GUARD.allowed,
                player=GUARD.player,
            )
        )
        stack.enter_context(patches.answered_by(replay.answer, replay.holds))
        stack.callback(clock.start(cassette.clock if freeze else None, virtual=virtual_clock))
        yield replay


@contextmanager
def _carried(replay: Replay, **options: Unpack[Options]) -> Iterator[None]:
    """Processes that this one starts carry guard and cassette, or are not started; what they report is part of this replay."""
    programs = tuple(options.get("programs", ()))
    with ExitStack() as stack:
        replay.child_report, prepare = stack.enter_context(carried_into_children(replay.chain, **options))
        stack.callback(replay.credentials.share, replay.credentials.shared)
        replay.credentials.share(replay.child_report.report)
        stack.enter_context(GUARD.reporting_to(partial(_reported_by_fork, replay.child_report, GUARD.is_mine)))
        stack.enter_context(GUARD.watching(programs, prepare))
        yield


def _reported_by_fork(report: ChildReport, is_heard: bool, attempt: str) -> bool:
    return report.tell("blocked", attempt) and is_heard
