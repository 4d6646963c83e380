"""The interface of the HTTP libraries in `replayer/stacks`: send a request, list every property of the response."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Protocol

import aiohttp
import httpx
import requests

AGENT = {"User-Agent": "one", "Accept-Encoding": "gzip, deflate"}
Properties = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a stack made of an answer: its properties, where it came from in the end, and the decoded body."""

    properties: Properties
    url: str
    body: bytes


class Stack(Protocol):
    """One client: `ask` follows redirects and keeps cookies if the stack does."""

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        """Send a request."""

    def close(self) -> None:
        """Let go of connections."""


def context_of(ca_file: str) -> ssl.SSLContext:
    """Trusts that file alone; an empty one trusts nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if Path(ca_file).stat().st_size:
        context.load_verify_locations(ca_file)
    return context


def cookies(jar: object) -> list[tuple[str, str | None, str, str]]:
    assert isinstance(jar, CookieJar)
    return sorted((one.name, one.value, one.domain, one.path) for one in jar)


def error_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except (requests.HTTPError, httpx.HTTPStatusError, aiohttp.ClientResponseError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def decoded(coding: str | None, body: bytes) -> bytes:
    import gzip

    return gzip.decompress(body) if coding == "gzip" else body


class Looped:
    """Runs its coroutines on one loop of its own."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def run(self, coroutine: Coroutine[object, object, Found]) -> Found:
        return self.runner.run(coroutine)
