"""Answer any window of pump events inside the recorded span from the recorded events. Pure, apart from its caches.

A client asks for other days than were recorded, and gets the recorded events of those days: the union of the windows answered with 200
for that pump, filtered by wall clock and by event codes as the era does. The events are the recorded bytes, not written anew, so
numbers, key order and spacing are the service's; `clockChanges` stays whole. Outside the recorded span nothing is known.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from replayer.matching.index import Entry
from replayer.matching.keys import Question, text
from replayer.matching.ledger import with_body
from replayer.matching.words import NEXT
from replayer.windows.events import Lane, lane, legacy_lane
from tandem.asked import FORMS, refusal
from tandem.codes import BadCodesError, codes_of
from tandem.eras import Era
from tandem.refusals import KNOWN_KEYS, written
from tandem.responses import GZIP_FROM, response_of
from tfx import codec
from tfx.errors import MismatchError
from tfx.exchange import Exchange, Headers, Response, State

__tracebackhide__ = True  # pytest --showlocals would print the live request

_TICK: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_CONTENT_MARKS: Final = ("ETag", "Content-MD5", "Digest", "Last-Modified")
"""Response headers that speak of one particular body."""

Group = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Wall-clock time from `first` to `last`, both included; `codes` None means every event code."""

    first: datetime
    last: datetime
    codes: frozenset[int] | None

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%dT%H:%M:%S} to {self.last:%Y-%m-%dT%H:%M:%S}"

    def knows(self, codes: frozenset[int] | None) -> bool:
        """Whether a recording with these codes answers a question for those."""
        return self.codes is None or (codes is not None and codes <= self.codes)


@dataclass(slots=True, kw_only=True, repr=False)
class _Recorded:
    entry: Entry
    window: Window
    lane: Lane | None = field(default=None)


class Windows:
    """The recorded windows of a cassette, by pump."""

    __slots__ = ("_entries", "_era", "_grouped", "_joined", "_name")

    def __init__(self, name: str, era: Era, entries: tuple[Entry, ...]) -> None:
        self._name, self._era, self._entries = name, era, entries
        self._grouped: dict[Group, list[_Recorded]] | None = None
        self._joined: dict[tuple[int, ...], Lane] = {}

    @property
    def _groups(self) -> dict[Group, list[_Recorded]]:
        # Found when first asked for: a client that asks as was recorded needs none of it.
        if self._grouped is None:
            self._grouped = {}
            for entry in self._entries:
                question = entry.question
                window = asked_window(question, self._era)
                if window:
                    self._grouped.setdefault(_group(question), []).append(_Recorded(entry=entry, window=window))
        return self._grouped

    def answer(
        self,
        question: Question,
        mark: Callable[[int], None],
        state: State = "start",
        fail: Callable[[Entry], Response | None] = lambda _entry: None,
    ) -> Response | None:
        """The events of the window asked for; None if this is no question about a window, or not about a recorded pump.

        `mark` gets the number of every recorded exchange the window touches; `state` is the one the replay is in. `fail` is asked first
        for what went wrong when the touched windows were recorded, whatever codes were asked for then: an exchange, in recorded order.

        Raises:
            MismatchError: the window reaches outside what was recorded.
        """
        window = asked_window(question, self._era)
        group = self._groups.get(_group(question), []) if window else []
        known = sorted((one for one in group if _answers(one.entry.exchange, state)), key=lambda one: one.window.first)
        if window is None or not known:
            return None
        usable = [one for one in known if one.window.knows(window.codes)]
        if not any(_covers(span, window) for span in spans(one.window for one in usable)):
            raise MismatchError(self._outside(window, [one.window for one in usable], [one.window for one in known]))
        touched = [one for one in usable if one.window.first <= window.last and one.window.last >= window.first]
        spans_touched = {(one.window.first, one.window.last) for one in touched}
        failed = (one.entry for one in group if one.entry.is_failure and (one.window.first, one.window.last) in spans_touched)
        failure = next(filter(None, map(fail, failed)), None)
        if failure is not None:
            return failure
        for one in touched:
            mark(one.entry.number)
        # A short answer is recorded plain: how the service codes a longer one, a longer one tells.
        template = max(touched, key=lambda one: "content-encoding" in one.entry.exchange.response.headers)
        return self._cut(window, usable, template)

    def refusal(self, question: Question, state: State = "start") -> tuple[str, Response] | None:
        """Why the service does not take a question about a recorded pump, and its answer; None if it does.

        A window over its cap it takes if it answered one on this very cassette.
        """
        if question.endpoint not in FORMS or question.body:
            return None
        known = [one for one in self._groups.get(_group(question), []) if _answers(one.entry.exchange, state)]
        if not known:
            return None
        meant = understood(question, self._era)
        longest = max(timedelta(days=self._era.max_window_days), *(one.window.last - one.window.first for one in known))
        found = refusal(question.endpoint, [text(name) for name, _ in meant.query], meant.values, self._era, longest=longest)
        if found is None:
            return None
        made = response_of(
            400,
            written(found.told),
            content_type="application/json; charset=utf-8",
            accept_encoding=question.headers.get("accept-encoding"),
        )
        cookies = [("Set-Cookie", line) for line in known[0].entry.exchange.response.headers.all("Set-Cookie")]
        return found.why, replace(made, headers=Headers([*made.headers, *cookies]))

    def look_through(self) -> None:
        """Read the events of every recorded window.

        Raises:
            CassetteError: one holds something else.
        """
        for one in (one for group in self._groups.values() for one in group):
            if one.entry.exchange.status == 200:  # noqa: PLR2004  # HTTP's OK
                self._lane(one)

    def _cut(self, window: Window, usable: list[_Recorded], template: _Recorded) -> Response:
        numbers = tuple(one.entry.number for one in usable)
        if numbers not in self._joined:
            lanes = [self._lane(one) for one in usable]
            self._joined[numbers] = lanes[0].joined(lanes)
        plain = self._lane(template).cut(self._joined[numbers], window.first, window.last, window.codes)
        response = template.entry.exchange.response
        headers = response.headers.without(*_CONTENT_MARKS)
        if len(plain) < GZIP_FROM and "content-encoding" in headers:
            headers = headers.without("Content-Encoding", "Vary")
        return with_body(replace(response, headers=headers), codec.encoded(headers, plain))

    def _lane(self, one: _Recorded) -> Lane:
        if one.lane is None:
            make = legacy_lane if self._era.wire == "binary" else lane
            response = one.entry.exchange.response
            one.lane = make(codec.decoded(response.headers, response.body), f"#{one.entry.number}")
        return one.lane

    def _outside(self, window: Window, usable: list[Window], known: list[Window]) -> str:
        if not usable:
            return (
                f"no exchange on {self._name} has these events: it holds only some event codes of this pump, and others are asked for "
                f"(query.{self._era.events_key}){NEXT}record all of them with: tfx record {self._name}"
            )
        return (
            f"no exchange on {self._name} has these events: the window {window} reaches outside what was recorded of this pump\n"
            + "".join(f"  recorded: {span}\n" for span in spans(usable or known)).rstrip("\n")
            + f"{NEXT}ask inside it (with freeze, today is the cassette's), or record more days with: tfx record {self._name} --days N"
        )


def asked_window(question: Question, era: Era) -> Window | None:
    """The window a request asks for, or None if it is none, or not put the way the service understands."""
    if question.endpoint not in FORMS:
        return None
    question = understood(question, era)
    form = FORMS[question.endpoint]
    wanted = sorted([*form.keys, *(["pumperId"] if question.endpoint == "pump-logs" else [])])
    keys = sorted({name.decode("utf-8", "replace") for name, _ in question.query} - {era.events_key})
    if keys != wanted or any(len(question.values(name)) != 1 for name in wanted) or question.body:
        return None  # nobody has seen what the service makes of a body on a GET
    first, last = form.ends(question.values)
    if first is None or last is None or first > last:
        return None
    try:
        codes = codes_of(question.values(era.events_key), era)
    except BadCodesError:
        codes = None
    if question.endpoint == "pump-events":
        last += _DAY - _TICK  # whole days, the last one included
    return Window(first=first, last=last, codes=codes)


def understood(question: Question, era: Era) -> Question:
    """The question without what the service of an era does not look at: nothing between two `&`, and in most places keys it ignores."""
    known = KNOWN_KEYS.get(question.endpoint)
    if known is None:
        return question
    looks = question.endpoint == "pump-logs" and era.filters_events
    kept = [
        bool(piece) and (looks or name.decode("utf-8", "replace") in known)
        for (name, _), piece in zip(question.query, question.pieces, strict=True)
    ]
    return (
        question if all(kept) else question.with_query("&".join(piece for piece, keep in zip(question.pieces, kept, strict=True) if keep))
    )


def spans(windows: Iterable[Window]) -> list[Window]:
    """The windows joined where they touch (a second apart) or overlap."""
    found: list[Window] = []
    for window in sorted(windows, key=lambda one: one.first):
        if found and window.first <= found[-1].last + _TICK:
            joined = max(found[-1].last, window.last)
            found[-1] = Window(first=found[-1].first, last=joined, codes=None)
        else:
            found.append(Window(first=window.first, last=window.last, codes=None))
    return found


def _answers(exchange: Exchange, state: State) -> bool:
    return exchange.terms.when in ("", state) and exchange.status == 200  # noqa: PLR2004  # HTTP's OK


def _covers(span: Window, window: Window) -> bool:
    return span.first <= window.first and window.last < span.last + _TICK


def _group(question: Question) -> Group:
    # The whole path: it names the pump (and in 2025 the person); in the json eras the person is in the query.
    return (question.method, question.origin, question.path, question.values("pumperId"))
