"""Live and replayed, property by property: the same requests to a server on loopback and to the cassette of it.

The server sends the bytes a cassette says; what each HTTP stack makes of them must not depend on where they came from.
"""

import asyncio
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import requests
import tape
import urllib3
from two_sides import ANSWERS, BODY, PATHS, Side, recorded, serving

from replayer.session import offline
from tfx.cassette import Cassette
from tfx.errors import MismatchError
from tfx.exchange import Exchange, Request, Response


@pytest.fixture(scope="module")
def live() -> Iterator[Side]:
    with serving() as side:
        yield side


@pytest.fixture
def replayed(live: Side) -> Side:
    return recorded(live)


def on_requests(session: requests.Session, url: str, method: str = "GET") -> dict[str, object]:
    seen: list[int] = []
    response = session.request(method, url, hooks={"response": lambda one, **_: seen.append(one.status_code)}, timeout=5)
    return {
        "status": response.status_code,
        "reason": response.reason,
        "url": response.url,
        "headers": dict(response.headers),
        "header type": type(response.headers).__name__,
        "text": response.text,
        "encoding": response.encoding,
        "apparent": response.apparent_encoding,
        "content": response.content,
        "history": [(one.status_code, one.url, one.headers.get("Location"), one.content) for one in response.history],
        "cookies": sorted((one.name, one.value, one.path, one.has_nonstandard_attr("HttpOnly")) for one in response.cookies),
        "jar": sorted((one.name, one.value) for one in session.cookies),
        "ok": response.ok,
        "redirect": (response.is_redirect, response.next is None),
        "raw": (response.raw.status, response.raw.reason, response.raw.version, list(response.raw.headers.items())),
        "raw type": type(response.raw).__name__,
        "read after the end": response.raw.read(),
        "hooks": seen,
        "request": (response.request.method, response.request.url, response.request.headers.get("Cookie")),
        "elapsed": response.elapsed.total_seconds() >= 0,
        "connection": type(response.connection).__name__,
        "links": response.links,
    }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_requests_sees_no_difference(live: Side, replayed: Side, path: str, method: str) -> None:
    found = []
    for side in (live, replayed):
        with side.there(), requests.Session() as session:
            found.append(on_requests(session, side.url + path, method))
    assert found[1] == found[0]


STREAMS: tuple[tuple[str, Callable[[requests.Response], object]], ...] = (
    ("iter_content", lambda one: b"".join(one.iter_content(100))),
    ("iter_content of text", lambda one: "".join(one.iter_content(100, decode_unicode=True)) if one.encoding else None),
    ("iter_lines", lambda one: list(one.iter_lines())),
    ("raw.read", lambda one: one.raw.read()),
    ("raw.read decoded", lambda one: one.raw.read(decode_content=True)),
    ("raw.read in parts", lambda one: (one.raw.read(0), one.raw.read(10), one.raw.read())),
    ("raw.stream", lambda one: b"".join(one.raw.stream(64, decode_content=True))),
    ("raw.tell", lambda one: (one.raw.read(), one.raw.tell())),
    ("close early", lambda one: (one.raw.read(3), one.raw.close(), one.raw.closed)),
    ("content afterwards", lambda one: one.content),
)


@pytest.mark.parametrize(("name", "use"), STREAMS)
@pytest.mark.parametrize("path", ["/plain", "/lines", "/gzip", "/binary", "/empty", "/chunked"])
def test_streaming_sees_no_difference(live: Side, replayed: Side, path: str, name: str, use: Callable[[requests.Response], object]) -> None:
    found = []
    for side in (live, replayed):
        with side.there(), requests.Session() as session, session.get(side.url + path, stream=True, timeout=5) as response:
            found.append(use(response))
    assert found[1] == found[0], name


@pytest.mark.parametrize("path", ["/denied", "/broken"])
def test_raise_for_status_says_the_same(live: Side, replayed: Side, path: str) -> None:
    said = []
    for side in (live, replayed):
        with side.there(), pytest.raises(requests.HTTPError) as caught:
            requests.get(side.url + path, timeout=5).raise_for_status()
        said.append(str(caught.value))
    assert said[1] == said[0]


def on_urllib(url: str) -> dict[str, object]:
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    try:
        response: http.client.HTTPResponse = opener.open(url, timeout=5)
    except urllib.error.HTTPError as error:
        return {"error": (error.code, error.reason, str(error), error.read(), error.headers.items())}
    with response:
        return {
            "status": (response.status, response.reason, response.msg, response.version),
            "url": response.geturl(),
            "headers": response.getheaders(),
            "info": response.info().items(),
            "part": response.read(2),
            "rest": response.read(),
            "after": (response.read(), response.isclosed()),
            "length": response.length,
            "jar": sorted((one.name, one.value) for one in jar),
            "type": type(response).__name__,
        }


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/gzip"])
def test_urllib_sees_no_difference(live: Side, replayed: Side, path: str) -> None:
    found = []
    for side in (live, replayed):
        with side.there():
            found.append(on_urllib(side.url + path))
    assert found[1] == found[0]


def test_urllib_gets_plain_what_was_recorded_as_gzip(replayed: Side) -> None:
    with replayed.there(), urllib.request.urlopen(replayed.url + "/gzip", timeout=5) as response:
        assert response.read() == BODY
        assert response.headers["Content-Encoding"] is None


def on_httpx(client: httpx.Client, url: str) -> dict[str, object]:
    response = client.get(url)
    return {
        "status": (response.status_code, response.reason_phrase, response.http_version),
        "url": str(response.url),
        "headers": response.headers.multi_items(),
        "raw headers": [(name.lower(), value) for name, value in response.headers.raw],
        "content": response.content,
        "text": response.text,
        "encoding": response.encoding,
        "history": [(one.status_code, str(one.url)) for one in response.history],
        "cookies": sorted((one.name, one.value) for one in response.cookies.jar),
        "jar": sorted((one.name, one.value) for one in client.cookies.jar),
        "elapsed": response.elapsed.total_seconds() >= 0,
        "closed": response.is_closed,
    }


@pytest.mark.parametrize("path", PATHS)
def test_httpx_sees_no_difference(live: Side, replayed: Side, path: str) -> None:
    found = []
    for side in (live, replayed):
        with side.there(), httpx.Client(follow_redirects=True, headers={"Accept-Encoding": "gzip, deflate"}) as client:
            found.append(on_httpx(client, side.url + path))
    assert found[1] == found[0]


def test_httpx_streams_and_runs_in_asyncio(replayed: Side) -> None:
    async def read() -> bytes:
        async with httpx.AsyncClient() as client, client.stream("GET", replayed.url + "/gzip") as response:
            return b"".join([piece async for piece in response.aiter_bytes()])

    with replayed.there():
        assert asyncio.run(read()) == BODY
        with httpx.stream("GET", replayed.url + "/binary") as response:
            assert b"".join(response.iter_raw()) == ANSWERS["/binary"].body


def on_http_client(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", url.removeprefix(f"http://{parts.netloc}"), headers={"Accept-Encoding": "gzip, deflate"})
    response = connection.getresponse()
    found: dict[str, object] = {"head": (response.status, response.reason, response.version), "headers": response.getheaders()}
    found["body"] = (response.read(2), response.read(), response.isclosed(), connection.sock is None)
    connection.close()
    return found


def on_urllib3(pool: urllib3.PoolManager, url: str) -> dict[str, object]:
    response = pool.request("GET", url, headers={"Accept-Encoding": "gzip, deflate"}, timeout=5)
    return {"head": (response.status, response.reason, response.geturl()), "headers": response.headers.items(), "body": response.data}


async def on_aiohttp(url: str) -> dict[str, object]:
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Accept-Encoding": "gzip, deflate"}) as response:
        return {
            "head": (response.status, response.reason, str(response.url), response.raw_headers),
            "body": await response.read(),
            "jar": sorted((one.key, one.value) for one in session.cookie_jar),
        }


def test_the_stacks_below_and_beside_see_no_difference(live: Side, replayed: Side) -> None:
    found: list[list[object]] = []
    for side in (live, replayed):
        with side.there(), urllib3.PoolManager() as pool, asyncio.Runner() as runner:
            seen: list[object] = [on_http_client(side.url + path) for path in PATHS]
            seen += [on_urllib3(pool, side.url + path) for path in PATHS]
            seen += [runner.run(on_aiohttp(side.url + path)) for path in PATHS]
            found.append(seen)
    assert found[1] == found[0]


def test_a_server_of_the_tests_own_is_reached_where_loopback_is_allowed(live: Side) -> None:
    """Allowed by the project's ini here; the cassette holds nothing of that host."""

    async def both() -> list[int]:
        async with httpx.AsyncClient() as client, aiohttp.ClientSession() as session, session.get(live.url + "/plain") as response:
            return [(await client.get(live.url + "/plain")).status_code, response.status]

    with offline(tape.session()) as replay:
        found = [
            requests.get(live.url + "/plain", timeout=5).status_code,
            urllib.request.urlopen(live.url + "/plain", timeout=5).status,
            httpx.get(live.url + "/plain").status_code,
            urllib3.request("GET", live.url + "/plain").status,
            *asyncio.run(both()),
        ]
        assert on_http_client(live.url + "/plain")["head"] == (200, "Fine By Me", 11)
        with pytest.raises(MismatchError):
            requests.get("https://sso.tandemdiabetes.com/elsewhere", timeout=5)
    assert (found, len(replay.misses), replay.blocked) == ([200] * 6, 1, ())


def test_a_connection_that_was_open_before_is_not_used(live: Side, replayed: Side) -> None:
    """What a pool kept alive would go past the guard, which hears of connecting and not of sending."""

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            for there in (live.there, replayed.there):
                with there():
                    async with session.get(live.url + ("/plain" if there is live.there else "/elsewhere")) as response:
                        await response.read()

    parts = urlsplit(live.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", "/plain")
    assert connection.getresponse().read()
    assert connection.sock is not None
    with urllib3.PoolManager() as pool:
        pool.request("GET", live.url + "/plain")
        with replayed.there():
            connection.request("GET", "/elsewhere")
            with pytest.raises(MismatchError):
                connection.getresponse()
            with pytest.raises(MismatchError):
                pool.request("GET", live.url + "/elsewhere", retries=3)
    connection.close()
    with pytest.raises(MismatchError):
        asyncio.run(ask())


@pytest.mark.parametrize(
    "ask",
    [
        lambda url: urllib3.request("GET", url),
        lambda url: asyncio.run(on_aiohttp(url)),
        on_http_client,
        lambda url: requests.get(url, timeout=5),
        lambda url: requests.Session().send(requests.Request("GET", url).prepare()),
        lambda url: urllib.request.urlopen(url, timeout=5),
        httpx.get,
    ],
)
def test_a_miss_is_no_error_that_a_client_swallows(replayed: Side, ask: Callable[[str], object]) -> None:
    def swallowing() -> None:
        try:
            ask(replayed.url + "/elsewhere")
        except (
            requests.RequestException,
            urllib.error.URLError,
            httpx.HTTPError,
            urllib3.exceptions.HTTPError,
            aiohttp.ClientError,
            OSError,
        ) as error:
            raise AssertionError("swallowed") from error

    with replayed.there(), pytest.raises(MismatchError, match="no exchange on stacks answers GET"):
        swallowing()


def test_outside_the_context_everything_is_as_before(live: Side, replayed: Side) -> None:
    send = requests.adapters.HTTPAdapter.send
    with replayed.there():
        assert requests.adapters.HTTPAdapter.send is not send
    assert requests.adapters.HTTPAdapter.send is send
    assert requests.get(live.url + "/plain", timeout=5).text == "é"


def test_the_innermost_cassette_answers(live: Side, replayed: Side) -> None:
    other = Cassette(
        name="inner",
        era="2026-10",
        region="us",
        clock=datetime(2024, 7, 1, tzinfo=UTC),
        policy=1,
        exchanges=(Exchange(request=Request(method="GET", url=live.url + "/plain"), response=Response(status=418)),),
    )
    with replayed.there():
        with offline(other):
            assert requests.get(live.url + "/plain", timeout=5).status_code == 418
        assert requests.get(live.url + "/plain", timeout=5).status_code == 200


def test_eight_threads_and_three_stacks_get_only_right_answers(live: Side, replayed: Side) -> None:
    wrong: list[object] = []
    stacks: tuple[Callable[[str], bytes], ...] = (
        lambda url: requests.get(url, timeout=5).content,
        lambda url: bytes(urllib.request.urlopen(url, timeout=5).read()),
        lambda url: httpx.get(url).content,
    )

    def ask(number: int) -> None:
        for path in ("/plain", "/binary", "/gzip"):
            got = stacks[number % 3](live.url + path)
            expected = BODY if path == "/gzip" else ANSWERS[path].body
            if got != expected:
                wrong.append((number, path))

    with replayed.there():
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_the_history_of_requests_mock_keeps_nothing(replayed: Side, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with replayed.there():
        response = requests.get(replayed.url + "/plain", timeout=5, headers={"Authorization": "Bearer live"})
    assert response.request.headers["Authorization"] == "Bearer live"
    assert "requests_mock.adapter" not in {record.name for record in caplog.records}
