"""Capture -> Cassette: every exchange by the rules, then the independent scan of the finished text. Pure; fails closed."""

from collections.abc import Mapping
from dataclasses import dataclass

from sanitizer.actions import PHRASES
from sanitizer.carriers import headers
from sanitizer.contents import Content, content, meet, received, sent
from sanitizer.devices import Device
from sanitizer.findings import Finding
from sanitizer.hand import Hand, Scrubbing
from sanitizer.policy import Policy, policy
from sanitizer.run import Run
from sanitizer.scan import search
from sanitizer.urls import address
from tandem.endpoints import Place, locate
from tandem.eras import ERAS
from tandem.regions import REGIONS
from tfx.capture import Capture, Seen
from tfx.cassette import Cassette
from tfx.errors import LeakError, RefusedError
from tfx.exchange import Exchange, Headers, Request, Response

_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """A clean cassette, and every place that was blanked or removed because no rule knew it."""

    cassette: Cassette
    findings: tuple[Finding, ...]


def scrub(capture: Capture, *, name: str, rules: Policy | None = None, before: Mapping[str, int] | None = None) -> Scrubbed:
    """The cassette of a capture.

    `before` is the rule counts of a cassette that is sanitized again: what was removed then is not there to be counted now.

    Raises:
        RefusedError: something cannot be understood; nothing of it may be written.
        LeakError: a seen value is in the finished text all the same; the message says what kind and where, never the value.
    """
    if capture.era not in ERAS or capture.region not in REGIONS:
        raise RefusedError(f"this capture is of no known era or region ({', '.join(ERAS)}; {', '.join(REGIONS)}); nothing was written")
    run = Run(policy=rules or policy(), clock=capture.clock, seen=[one.value for one in capture.seen])
    hand = Scrubbing(run)
    exchanges = walked(hand, capture.exchanges)
    counts = {word: max(number, (before or {}).get(word, 0)) for word, number in run.counts.items()}
    cassette = Cassette(
        name=name,
        era=capture.era,
        region=capture.region,
        clock=run.epoch.clock(capture.clock),
        policy=run.policy.version,
        exchanges=exchanges,
        rules={**(before or {}), **counts},
    )
    _prove(cassette, run, capture.seen)
    return Scrubbed(cassette=cassette, findings=tuple(run.findings))


def _prove(cassette: Cassette, run: Run, seen: tuple[Seen, ...]) -> None:
    replaced = tuple(Seen(kind=kind, value=value) for kind, value in run.ordinals.originals)
    leaks = search(cassette, seen=seen, replaced=replaced, rules=run.policy)
    if leaks:
        shown = "; ".join(map(str, leaks[:5])) + (f" and {len(leaks) - 5} more" if len(leaks) > 5 else "")  # noqa: PLR2004  # enough to act on
        raise LeakError(
            f"the second look at the finished cassette found values that must not be there, so nothing was written: {shown}. "
            "Please report the places; they are a gap in the rules"
        )


def walked(hand: Hand, exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Every exchange of a known place, sanitized in order; two walks, because counters are rebased by the smallest number met anywhere."""
    devices: dict[str, Device] = {}
    survey: list[tuple[Place, Content, Device | None] | None] = []
    for index, exchange in enumerate(exchanges, 1):
        hand.run.exchange = index
        survey.append(_surveyed(hand, exchange, devices))
    out = []
    for index, (exchange, found) in enumerate(zip(exchanges, survey, strict=True), 1):
        hand.run.exchange = index
        if found is None:
            hand.note("request", "a request to no place of Tandem Source" + ("; removed" if hand.changes else ""))
            continue
        done = _exchange(hand, exchange, *found)
        if done is None:
            hand.note("request path", "an identifier that is not what its rule is for" + ("; removed" if hand.changes else ""))
        else:
            out.append(done)
    hand.run.exchange = 0
    return tuple(out)


def _surveyed(hand: Hand, exchange: Exchange, devices: dict[str, Device]) -> tuple[Place, Content, Device | None] | None:
    place = locate(exchange.request.method, exchange.request.url)
    if place is None:
        return None
    response = exchange.response
    found = content(response.headers, response.body, f"#{hand.run.exchange} response body")
    special = hand.run.policy.special.get(place.endpoint.name, "")
    if special not in ("events", "records"):
        return place, found, None
    # The last identifier in the path names the device, in both eras.
    key = list(place.path_values.values())[-1].strip("{}").replace("-", "").lower()
    device = devices.setdefault(key, Device())
    if found.kind == "json" and response.status in _SUCCESS:
        meet(device, special, hand.run.exchange, found.value)
    return place, found, device


def _exchange(hand: Hand, exchange: Exchange, place: Place, found: Content, device: Device | None) -> Exchange | None:
    request, response = exchange.request, exchange.response
    url = address(hand, request.url, place)
    if url is None:
        return None
    if not hand.changes and url != request.url:
        hand.note("request url", "not written as the sanitizer writes it")
    lines = headers(hand, request.headers, "request")
    body = sent(hand, place, request.headers, request.body)
    answer_lines = headers(hand, response.headers, "response")
    answer = received(hand, place, response, found, device)
    if response.reason not in PHRASES:
        hand.note("response reason", "not a standard phrase")
    return Exchange(
        request=Request(method=place.endpoint.method, url=url, headers=_measured(lines, body), body=body),
        response=Response(
            status=response.status,
            reason=response.reason if response.reason in PHRASES else "",
            headers=_measured(answer_lines, answer),
            body=answer,
        ),
        terms=exchange.terms,
    )


def _measured(lines: Headers, body: bytes) -> Headers:
    """The lines with the length of the body as it is now, where one was told."""
    return lines.replacing("Content-Length", str(len(body))) if "content-length" in lines else lines
