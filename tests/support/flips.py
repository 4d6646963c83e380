"""Recorded requests with one bit changed, and an independent reading of what a request says."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, unquote, urlsplit

from replayer.matching import access
from replayer.replay import Replay
from tfx.cassette import Cassette
from tfx.errors import MismatchError
from tfx.exchange import Exchange, Request

MASKS = (1, 2, 4, 8, 16, 32, 64)


def places(exchange: Exchange) -> Iterator[tuple[str, int]]:
    """Every character of a method and URL and every byte of a body."""
    request = exchange.request
    for part, length in (("method", len(request.method)), ("url", len(request.url)), ("body", len(request.body))):
        yield from ((part, at) for at in range(length))


def flipped(request: Request, part: str, at: int, mask: int) -> Request:
    if part == "body":
        return replace(request, body=request.body[:at] + bytes([request.body[at] ^ mask]) + request.body[at + 1 :])
    text = request.method if part == "method" else request.url
    text = text[:at] + chr(ord(text[at]) ^ mask) + text[at + 1 :]
    return replace(request, method=text) if part == "method" else replace(request, url=text)


FREE = frozenset({"code", "session_state", "code_challenge", "scope", "username", "password"})
"""What may differ from run to run; in the token request code and verifier may not, for they must agree with what authorize saw."""


def meaning(request: Request) -> object:
    """What a request says, put together without the code under test."""
    parts = urlsplit(request.url)
    signs_in = "/api/reports" not in parts.path

    def counted(pairs: list[tuple[str, str]], where: str) -> list[tuple[str, str]]:
        free = FREE if signs_in and where == "query" else frozenset()
        if not parts.path.endswith("/connect/authorize"):
            free -= {"scope", "code_challenge"}
        return sorted(
            (name, "" if name in free else value)
            for name, value in pairs
            if not (parts.path.endswith("/connect/authorize") and name == "scope")
        )

    body: object = request.body
    if "json" in request.headers.get("Content-Type"):
        try:
            value = json.loads(request.body)
            body = {name: "" if name in FREE and isinstance(item, str) else item for name, item in value.items()}
        except ValueError:
            pass
    elif request.body:
        body = sorted(parse_qsl(request.body.decode(), keep_blank_values=True))
    host = (parts.scheme.lower(), parts.netloc.lower())
    return request.method.upper(), host, unquote(parts.path or "/"), counted(parse_qsl(parts.query, keep_blank_values=True), "query"), body


def at(cassette: Cassette, number: int) -> Replay:
    """A replay in which everything before that exchange (from 0) was asked."""
    replay = Replay(cassette, strict_windows=True)
    for exchange in cassette.exchanges[:number]:
        replay.answer(exchange.request)
    return replay


def tried(replay: Replay, number: int, changed: Request) -> bool:
    """Whether it was answered; asserts that the answer fits the request, or else that the miss names the place."""
    exchanges = replay.cassette.exchanges
    try:
        answer = replay.answer(changed)
    except MismatchError as error:
        assert meaning(changed) != meaning(exchanges[number].request)
        assert re.search(r"method|url\.|path\.|query\.|body|header", str(error))  # noqa: PT017  # half of the claim
        return False
    alike = [one.response for one in exchanges if meaning(one.request) == meaning(changed)]
    refusals = [access.refusal(closed) for closed in (access.NO_TOKEN, access.OTHER_ORIGIN)]
    # A scope or challenge that the service does not take leads back with its error.
    led_back = "/connect/authorize?" in changed.url and "error=" in answer.headers.get("Location")
    assert led_back or answer in (alike or refusals)
    return True
