"""Serve a cassette through a proxy on loopback, for programs that are not Python. Sockets are in `tfx.loopback`.

An exception cannot be raised in a client in another language. A request that is not on the cassette gets 501, which no client mistakes for
the service's answer or retries, and a text that says what differs; it counts as a miss, as everywhere else.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from replayer.faults import Struck
from replayer.guard.targets import place_words
from replayer.matching.ledger import with_body
from replayer.programs.program import Line, Outcome
from replayer.programs.seal import network_of_its_own
from replayer.replay import Replay
from replayer.stacks.outcome import outcome
from tandem.clients import without_caches
from tandem.endpoints import locate
from tandem.regions import HOSTS
from tfx.cassette import Cassette
from tfx.errors import TfxError
from tfx.exchange import Headers, Request, Response
from tfx.interrupted import interrupted
from tfx.loopback import Ledger, Loopback, answering, options_of_runtimes
from tfx.tunnel import Reply

__tracebackhide__ = True

NOT_ON_IT: Final = 501
"""The status of a miss."""
NAMELESS: Final = "send the proxy something that names no host"


@contextmanager
def served(replay: Replay, *, at: int | socket.socket = 0) -> Iterator[Loopback]:
    """The cassette of this replay behind a proxy while this lasts; `at` is a port (0: any free one) or a socket that listens already.

    Raises:
        UsageError: the port is taken, or trustme is not installed.
    """
    with answering(hosts_of(replay.cassette), partial(reply, replay), name="The cassette", at=at) as loopback:
        yield loopback


def hosts_of(cassette: Cassette) -> frozenset[str]:
    """Every host of the service, and those on the cassette, as far as HTTPS reaches them at its own port."""
    urls = (urlsplit(exchange.request.url) for exchange in cassette.exchanges)
    return frozenset(HOSTS) | {parts.netloc.lower().removesuffix(":443") for parts in urls if parts.scheme == "https"}


def reply(replay: Replay, request: Request) -> Reply:
    """What the cassette says, fit for a connection that is kept alive; a miss as an answer of its own."""
    answer = outcome(partial(replay.answer, request))
    place = locate(request.method, request.url)
    if isinstance(answer, Struck):
        return Reply(endpoint=place.endpoint.name if place else "unknown", response=delimited(answer.response), transport=answer.kind)
    return Reply(
        endpoint=place.endpoint.name if place else "unknown",
        response=missed(str(answer)) if isinstance(answer, TfxError) else delimited(answer),
    )


def missed(words: str) -> Response:
    """The answer to a request that is not on the cassette: no live value in it, as in every message of ours."""
    body = f"tfx: {words}\n".encode()
    headers = Headers([("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return Response(status=NOT_ON_IT, reason="Not on the Cassette", headers=headers, body=body)


def delimited(response: Response) -> Response:
    """The answer with an end a client can find without the connection closing: some recordings have neither length nor chunks."""
    headers = response.headers
    if "Transfer-Encoding" in headers or "Content-Length" in headers:
        return response
    return with_body(replace(response, headers=headers.replacing("Content-Length", "0")), response.body)


def run(line: Line, replay: Replay, *, port: int = 0, quiet: bool = False, sealed: bool = True) -> Outcome:
    """Run a program in any language against the cassette until it ends. `sealed` gives it a network of its own where that can be.

    Raises:
        UsageError: it cannot be started, or the port is taken.
    """
    with network_of_its_own(line.words, sealed=sealed, quiet=quiet) as waiting:
        with served(replay, at=waiting.listener or port) as loopback:
            ended = waiting.run(environment(os.environ, loopback))
        ran = found(replay, loopback.ledger)
    ran.code, ran.sealed = ended.code, waiting.listener is not None
    ran.blocked += ["reach the network past the proxy"] * ended.attempts
    return ran


def until_interrupted(replay: Replay, *, port: int = 0, tell: Callable[[Mapping[str, str]], None]) -> Outcome:
    """Answer whoever is led here, until Ctrl-C or a polite kill; `tell` hears the variables that lead a program here, once it may come.

    Raises:
        UsageError: the port is taken.
    """
    with interrupted() as stop:
        with served(replay, at=port) as loopback:
            tell({**loopback.environment, **options_of_runtimes(loopback, {})})
            stop.wait()
        return found(replay, loopback.ledger)


def found(replay: Replay, ledger: Ledger) -> Outcome:
    """What a replay and its proxy have to report."""
    return Outcome(
        code=0,
        used=set(replay.used),
        idle=list(replay.idle),
        misses=[*replay.misses, *(f"tfx itself failed to answer ({name}); please report it" for name in ledger.failures)],
        refused=list(replay.refused),
        # In words that name no host of anybody's own.
        blocked=[f"reach {place_words(host, port)}" if host else NAMELESS for host, port in ledger.refused],
        guarded=True,
    )


def environment(plain: Mapping[str, str], loopback: Loopback) -> dict[str, str]:
    """The environment that leads a program in any language to the cassette, made of one that need not."""
    kept = {name: value for name, value in without_caches(plain).items() if not name.lower().endswith("_proxy")}
    return kept | dict(loopback.environment) | options_of_runtimes(loopback, plain)
