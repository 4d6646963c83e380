"""`tfx pipeline serve`: one run after another until stopped, never two at once. The clock is passed in."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.steps import Stored
from tfx.errors import BlockedError, LoginError, ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time in seconds, and waiting so many of them."""

    now: Callable[[], float]
    wait: Callable[[float], None]


def serve(once: Callable[[], Stored], *, interval: float, clock: Clock, tell: Callable[[str], None]) -> int:
    """Run, and run again every `interval` seconds, until interrupted. Returns how many runs ended well.

    Runs begin on a fixed beat; one that lasts longer than the interval makes the beats it covers fall out, so that runs never overlap. A
    service or network that fails is reported and tried again at the next beat; a refused log-in, a firewall or bad use ends it, for no next
    run would go better. An interruption during a run leaves what its finished windows stored; the next run goes on from there.
    """
    done = 0
    due = clock.now()
    try:
        while True:
            try:
                stored = once()
            except (LoginError, BlockedError):
                raise  # asking again and again is what accounts are locked for
            except ServiceError as e:
                tell(f"{type(e).__name__}: {e}; trying again at the next beat")
            else:
                done += 1
                tell(f"{stored.received:,} events received, {stored.rows['raw_events']:,} new")
                if stored.unread:
                    tell(f"unreadable: {', '.join(map(str, stored.unread))}; kept in the quarantine, asked for again at the next beat")
            behind = clock.now() - due
            due += interval * (int(behind // interval) + 1)
            clock.wait(max(0.0, due - clock.now()))
    except KeyboardInterrupt:
        return done
