"""How each HTTP library requests with a time limit, and what it gets: a response or an error."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from types import MappingProxyType

import httpx
import requests
import urllib3

from tandem.faults import Fault
from tandem.regions import SSO_URL

KINDS = ("429", "503", "403-waf", "content-type", "reset", "truncated", "drip", "timeout", "late=0.01", "late=9")
PATIENCE = 1.0
"""Seconds; a loaded machine needs some to answer at all over TLS."""

Seen = tuple[object, ...]


def by_requests(url: str) -> Seen:
    with requests.Session() as session:
        answer = session.get(url, timeout=PATIENCE)
        return answer.status_code, answer.reason, answer.headers["Content-Type"], answer.headers.get("Retry-After"), bool(answer.content)


def by_urllib(url: str) -> Seen:
    try:
        answer = urllib.request.build_opener().open(url, timeout=PATIENCE)  # urlopen keeps the first opener, and its proxies
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.reason, answer.headers["Content-Type"], answer.headers.get("Retry-After"), bool(answer.read())


def by_httpx(url: str) -> Seen:
    answer = httpx.get(url, timeout=PATIENCE)
    return answer.status_code, answer.reason_phrase, answer.headers["Content-Type"], answer.headers.get("Retry-After"), bool(answer.content)


def by_httpx_async(url: str) -> Seen:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            return await client.get(url)

    answer = asyncio.run(ask())
    return answer.status_code, answer.reason_phrase, answer.headers["Content-Type"], answer.headers.get("Retry-After"), bool(answer.content)


STACKS: Mapping[str, Callable[[str], Seen]] = MappingProxyType(
    {"requests": by_requests, "urllib": by_urllib, "httpx": by_httpx, "httpx async": by_httpx_async}
)


def met(ask: Callable[[str], Seen], url: str = SSO_URL) -> Seen:
    """An answer, or the error and what it carries."""
    try:
        return ask(url)
    except (requests.RequestException, httpx.HTTPError, OSError, urllib3.exceptions.HTTPError) as error:
        return (type(error), *(type(part) for part in error.args if isinstance(part, Exception)))
    except Exception as error:  # noqa: BLE001  # http.client has errors of no common kind
        return (type(error),)


def table(stack: int) -> list[Fault]:
    return [Fault(endpoint="sso-page", nth=stack * len(KINDS) + number, kind=kind) for number, kind in enumerate(KINDS, 1)]
