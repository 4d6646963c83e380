"""Faults on request: which recorded response fails, and what is sent instead. Pure, apart from its counts.

The nth request that the cassette has an answer to fails; one it has none to is a miss, as ever. The recorded answer stays where it was,
so that a client that tries again gets it; only a slow answer is the recorded one itself. What breaks on its way is raised as `Struck`,
and each HTTP stack makes of it what its client would meet live (`stacks/failures.py`).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from replayer.matching import access
from replayer.matching.keys import Question
from tandem.faults import Fault, Faults, late
from tandem.refusals import written
from tfx.errors import HangError
from tfx.exchange import Headers, Response

__tracebackhide__ = True  # pytest --showlocals would print the live request

Recorded = Callable[[str, int], Response | None]
"""The recorded answer of an endpoint with a status, if there is one."""


_MAINTENANCE: Final = (
    b'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Tandem Source</title></head>\n'
    b"<body><h1>We will be right back</h1></body>\n</html>\n"
)


class Struck(Exception):  # noqa: N818  # no error of ours: an event on the way of an answer
    """An answer that does not arrive whole: what was on its way, how many seconds late it is, and the error of waiting for ever."""

    def __init__(self, kind: str, response: Response, hang: Callable[[], HangError], take: Callable[[], object] = tuple) -> None:
        """`take` uses the recorded answer up: a late one is used up when it arrives, and not when its client gives up waiting."""
        super().__init__(kind)
        self.kind, self.response, self.hang, self.take = kind, response, hang, take
        self.seconds = late(kind)


class Plan:
    """The faults of one replay. Not thread-safe: `replay.Replay` holds the lock."""

    __slots__ = ("_expired", "_faults", "_recorded", "_renew", "faults", "used_elsewhere")

    def __init__(self, faults: Iterable[Fault | str], recorded: Recorded, renew: Callable[[], None]) -> None:
        """`renew` lets the recorded sign-in answer once more: after an expired token a client signs in again."""
        self.faults = tuple(fault if isinstance(fault, Fault) else Fault.parse(fault) for fault in faults)
        self._faults = Faults(self.faults)
        self._recorded, self._renew = recorded, renew
        self._expired = False
        self.used_elsewhere: set[str] = set()
        """Count faults that were used in another process."""

    @property
    def idle(self) -> tuple[str, ...]:
        """The faults that have not been used yet."""
        return tuple(fault for fault in map(str, self._faults.idle) if fault not in self.used_elsewhere)

    def next(self, question: Question) -> str | None:
        """The fault that falls on this request."""
        wants_token = access.wants_token(question.place)
        if self._expired and wants_token:
            return "expired"
        if question.endpoint == "token":
            self._expired = False
        kind = self._faults.next(question.endpoint or "unknown")
        if kind == "expired":
            self._expired = wants_token
            self._renew()
        return kind

    def answer(self, kind: str, question: Question, recorded: Response) -> Response:
        """What is answered instead, if the fault is another answer: the recorded one of that status where the cassette holds one."""
        if kind == "content-type":
            headers = Headers([("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(_MAINTENANCE)))])
            return replace(recorded, status=200, reason="OK", headers=headers, body=_MAINTENANCE)
        status = {"expired": 401, "403-waf": 403}.get(kind) or int(kind)
        return self._recorded(question.endpoint, status) or _made(status)


def _made(status: int) -> Response:
    if status == HTTPStatus.FORBIDDEN:
        return access.refusal(access.OTHER_ORIGIN)
    if status == HTTPStatus.UNAUTHORIZED:
        return access.refusal(access.STRANGE_TOKEN)
    title = HTTPStatus(status).phrase
    trace = f"00-{'0' * 32}-{'0' * 16}-00"
    body = written({"type": f"https://httpstatuses.io/{status}", "title": title, "status": status, "traceId": trace})
    headers = [("Content-Type", "application/problem+json; charset=utf-8"), ("Content-Length", str(len(body))), *_RETRIES.get(status, [])]
    return Response(status=status, reason=title, headers=Headers(headers), body=body)


_RETRIES: Final = {status: [("Retry-After", "1")] for status in (429, 503)}
