"""Sanitize exchanges that hide a secret, by either entry point, and search the result without the sanitizer's help."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leaks import CARRIERS, seen, traces

from sanitizer.check import looked_at
from sanitizer.files.era import eras_of
from sanitizer.formats import har
from sanitizer.formats.recording import capture_of
from sanitizer.scrub import Scrubbed, again, scrub
from tfx.capture import Capture, Seen
from tfx.cassette import Cassette
from tfx.errors import RefusedError, UsageError
from tfx.exchange import Exchange
from tfx.store import dumps

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
ROUTES = ("recording", "HAR")
_REFUSED = re.compile(r"#(\d+) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A text, hidden in one place; `kind` is of the value it tells."""

    kind: str
    text: str
    carrier: str
    way: str = ""

    @property
    def exchange(self) -> Exchange:
        """The exchange with the text in it."""
        return CARRIERS[self.carrier](self.text)


def through(exchanges: Sequence[Exchange], route: str, known: tuple[Seen, ...] = seen()) -> tuple[Scrubbed | None, str]:
    """What is made of exchanges, and everything that was said. What is refused is left out, as the refusal tells."""
    left, said = list(exchanges), ""
    while left:
        try:
            done = scrub(_capture(left, route, known), name="x")
        except RefusedError as error:
            said += str(error)
            # A refusal that does not say which exchange it is about is a fault of its own.
            del left[int(_REFUSED.match(str(error))[1]) - 1]  # type: ignore[index]
        except UsageError as error:  # nothing in the file goes to the service
            return None, said + str(error)
        else:
            return done, said + " ".join(f"{one} {one.rule}" for one in done.findings) + repr(done)
    return None, said


def _capture(exchanges: Sequence[Exchange], route: str, known: tuple[Seen, ...]) -> Capture:
    era = max(eras_of(exchanges) or {"2026-10"})  # a capture that says another is refused for that, and nothing of it is tried
    if route == "recording":
        return Capture(exchanges=tuple(exchanges), era=era, region="us", clock=NOW, seen=known)
    held = Cassette(name="x", era=era, region="us", clock=NOW, policy=1, exchanges=tuple(exchanges))
    return capture_of(har.read(json.loads(har.write(held)), "x.har"), "x.har", era=era)


def leaks(cases: Sequence[Case], route: str) -> list[str]:
    """What is wrong with what comes out: something leaked, something open, something that changes when it is sanitized again."""
    return wrong_with(cases, route, *through([case.exchange for case in cases], route))


def wrong_with(cases: Sequence[Case], route: str, done: Scrubbed | None, said: str) -> list[str]:
    """The same of what was made of the cases already."""
    text = dumps(done.cassette) if done else b""
    everything = (text + said.encode("utf-8", "surrogatepass")).lower()
    wrong = []
    for case in cases:
        # A finding names a member or header that looks like a schema's; in a file nobody was seen to make, a name may look so too.
        where = text.lower() if route == "HAR" and case.carrier in ("a header's name", "a member's name") else everything
        if any(one in where for one in traces(case.kind, case.text)):
            wrong.append(f"{case.kind}, {case.way}, {case.carrier}")
    if done:
        wrong += [f"open: {finding}" for finding in looked_at(done.cassette)]
        wrong += ["another cassette when sanitized again"] if dumps(again(done.cassette).cassette) != text else []
    return wrong
