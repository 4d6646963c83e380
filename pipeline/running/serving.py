"""`tfx pipeline serve`: one run after another until stopped, never two at once. The clock is passed in."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.running.steps import Stored
from tfx.errors import BlockedError, InUseError, LoginError, ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time in seconds, and waiting so many of them."""

    now: Callable[[], float]
    wait: Callable[[float], None]


class Stop:
    """Whether a signal has asked for the end; the first one is raised in what is under way, as far as `serve` is ready for it."""

    def __init__(self) -> None:
        self.asked = False
        self.raises = False

    def hear(self, _number: int) -> None:
        """What a signal handler calls. Later signals change nothing: the first is closing what it met."""
        is_first, self.asked = not self.asked, True
        if is_first and self.raises:
            raise KeyboardInterrupt


def serve(once: Callable[[], Stored], *, interval: float, clock: Clock, tell: Callable[[str], None], stop: Stop) -> int:
    """Run, and run again every `interval` seconds, until interrupted. Returns how many runs ended well.

    Runs begin on a fixed beat; one that lasts longer than the interval makes the beats it covers fall out, so that runs never overlap. A
    service or network that fails, or a database that somebody reads just then, is reported and tried again at the next beat; a refused
    log-in, a firewall or bad use ends it, for no next run would go better. An interruption during a run leaves what its finished windows
    stored; the next run goes on from there.
    """
    done, due = 0, clock.now()
    try:
        stop.raises = True
        while not stop.asked:
            done += _one_run(once, tell, stop)
            if not stop.asked:  # or somebody's code has swallowed what was raised
                due += interval * (int((clock.now() - due) // interval) + 1)
                clock.wait(max(0.0, due - clock.now()))
    except BaseException as e:
        # Met in somebody's C code, an interruption may come out as another error.
        if not stop.asked and not isinstance(e, KeyboardInterrupt):
            raise
    return done


def _one_run(once: Callable[[], Stored], tell: Callable[[str], None], stop: Stop) -> int:
    """1 where it ended well, 0 where the next may."""
    try:
        stored = once()
    except (LoginError, BlockedError):
        raise  # asking again and again is what accounts are locked for
    except (ServiceError, InUseError) as e:
        if not stop.asked:
            tell(f"{type(e).__name__}: {e}; trying again at the next beat")
        return 0
    tell(f"{stored.received:,} events received, {stored.rows['raw_events']:,} new")
    if stored.unread:
        tell(f"unreadable: {', '.join(map(str, stored.unread))}; kept in the quarantine, asked for again at the next beat")
    return 1


def rehearse() -> None:
    """Import what a run imports on its way: a signal in the middle of an import may be swallowed, or leave a library half there."""
    from importlib import import_module

    from pipeline.store.warehouse import in_memory
    from tfx.stages import stage

    in_memory().dispose()
    import_module("pyarrow.dataset")  # DuckDB looks for it with the first table
    stage("recorder.credentials:find")
