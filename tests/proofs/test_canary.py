"""Eight threads, two hundred requests each, on every HTTP library: none reaches a server that stands for the internet.

The server is where a leak would go: every name resolves to it and the guard lets loopback through, so only the replay stands in between.
"""

import asyncio
import http.client
import socket
import ssl
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import aiohttp
import httpx
import pytest
import requests
import tape
import urllib3

from replayer.session import offline
from tfx.cassette import Cassette

THREADS, EACH = 8, 200
CONTEXT = ssl.create_default_context()  # made anew for each connection it would cost more than everything else
HOST = "sso.tandemdiabetes.com"
Ask = Callable[[str], bytes]


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Connections that reached the server every name resolves to."""
    arrived: list[object] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        port = server.getsockname()[1]
        there = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: there)

        def listen() -> None:
            while True:
                try:
                    connection, peer = server.accept()
                except OSError:
                    return
                arrived.append(peer)
                connection.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield arrived
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def many(count: int) -> Cassette:
    """Every question twice, once for each of two answers: who asks must get both, whichever thread asks."""
    exchanges = [
        tape.exchange("GET", f"https://{HOST}/?n={number}", got=tape.HTML, answer=f"{number} {turn}".encode())
        for number in range(count)
        for turn in "ab"
    ]
    return tape.with_exchanges(tape.session(), *exchanges)


def by_http_client(url: str) -> bytes:
    connection = http.client.HTTPSConnection(HOST, context=CONTEXT)
    connection.request("GET", url.removeprefix(f"https://{HOST}"))
    return connection.getresponse().read()


def by_httpx_async(url: str) -> bytes:
    async def ask() -> bytes:
        async with httpx.AsyncClient(verify=CONTEXT) as client:
            return (await client.get(url)).content

    return asyncio.run(ask())


def by_aiohttp(url: str) -> bytes:
    async def ask() -> bytes:
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            return await answer.read()

    return asyncio.run(ask())


HTTPX = httpx.Client()
STACKS: Mapping[str, Ask] = MappingProxyType(
    {
        "requests": lambda url: requests.get(url).content,
        "urllib": lambda url: bytes(urllib.request.urlopen(url).read()),
        "httpx": lambda url: HTTPX.get(url).content,
        "httpx async": by_httpx_async,
        "aiohttp": by_aiohttp,
        "urllib3": lambda url: bytes(urllib3.PoolManager().request("GET", url).data),
        "http.client": by_http_client,
    }
)


@pytest.mark.loopback
@pytest.mark.parametrize("stack", STACKS)
def test_nothing_arrives_and_every_answer_is_right(stack: str, arrivals: list[object]) -> None:
    urls = [f"https://{HOST}/?n={number}" for number in range(THREADS * EACH // 2)] * 2
    with offline(many(len(urls) // 2), allow=("loopback",)) as replay:
        with ThreadPoolExecutor(THREADS) as pool:
            got = list(pool.map(STACKS[stack], urls))
        replay.check(all_used=True)
    expected = Counter(f"{number} {turn}".encode() for number in range(len(urls) // 2) for turn in "ab")
    assert (Counter(got), arrivals) == (expected, [])
    assert all(url.endswith(f"={body.decode().split()[0]}") for url, body in zip(urls, got, strict=True))
