"""The tape over a real socket: what the client gets is what it would have got, what is kept is what went over the wire."""

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from recorder.tape import Tape, TapeAdapter
from tfx.exchange import Exchange

TEXT = "{'glucose': 123, 'name': '™'}" * 20


class Handler(BaseHTTPRequestHandler):
    """A few ways in which a body can come."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind = self.path.split("?")[0].strip("/")
        getattr(self, f"_{kind}")()

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length")
        body = self.rfile.read(int(size)) if size else self._dechunked()
        self._say(200, body)

    def _plain(self) -> None:
        self._say(200, self.path.encode(), ("X-Order", "1"), ("Set-Cookie", "a=1; Path=/"), ("x-order", "2"), ("Set-Cookie", "b=2; Path=/"))

    def _gzip(self) -> None:
        self._say(200, gzip.compress(TEXT.encode(), mtime=0), ("Content-Encoding", "gzip"), ("Content-Type", "text/plain; charset=utf-8"))

    def _chunked(self) -> None:
        body = gzip.compress(TEXT.encode(), mtime=0)
        self.send_response(200, "Fine")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        for part in (body[:7], body[7:]):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _redirect(self) -> None:
        self._say(302, b"over there", ("Location", "/plain?hop=2"), ("Set-Cookie", "hop=1; Path=/"))

    def _empty(self) -> None:
        self._say(204, b"")

    def _error(self) -> None:
        self._say(500, b"no")

    def _short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"50\r\nhalf")
        self.close_connection = True

    def _gone(self) -> None:
        self.close_connection = True

    def _say(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _dechunked(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def taped(tape: Tape) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", TapeAdapter(tape))
    return session


def plain() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def looks(response: requests.Response) -> list[object]:
    """What a client can see of an answer, but for the clock."""
    headers = [(name, value) for name, value in response.headers.items() if name != "Date"]
    return [
        response.status_code,
        response.reason,
        response.url,
        headers,
        response.content,
        response.text,
        response.encoding,
        response.cookies.get_dict(),
        response.is_redirect,
        response.ok,
        [looks(hop) for hop in response.history],
        type(response.raw).__name__,
        response.raw.version,
    ]


@pytest.mark.parametrize("path", ["plain?a=&b=%2C&b=%C3%A9", "gzip", "chunked", "redirect", "empty", "error"])
def test_a_taped_client_sees_what_an_untaped_one_sees(url: str, path: str) -> None:
    tape = Tape()
    with taped(tape) as one, plain() as other:
        seen, expected = one.get(f"{url}/{path}"), other.get(f"{url}/{path}")
        assert looks(seen) == looks(expected)
        assert one.cookies.get_dict() == other.cookies.get_dict()


@pytest.mark.parametrize("path", ["gzip", "chunked"])
def test_a_taped_client_can_stream(url: str, path: str) -> None:
    with taped(Tape()) as one, plain() as other:
        streamed = [b"".join(session.get(f"{url}/{path}", stream=True).iter_content(5)) for session in (one, other)]
        raw = [session.get(f"{url}/{path}", stream=True).raw.read(decode_content=True) for session in (one, other)]
        lines = [list(session.get(f"{url}/{path}", stream=True).iter_lines()) for session in (one, other)]
    assert streamed == raw == [TEXT.encode()] * 2
    assert lines[0] == lines[1]


@pytest.mark.parametrize("path", ["gzip", "chunked"])
def test_the_wire_body_is_kept(url: str, path: str) -> None:
    tape = Tape()
    with taped(tape) as session:
        session.get(f"{url}/{path}")
    kept = tape.exchanges[0].response
    assert kept.body == gzip.compress(TEXT.encode(), mtime=0)
    assert kept.headers.get("Content-Encoding") == "gzip"


def test_header_lines_keep_order_case_and_duplicates(url: str) -> None:
    tape = Tape()
    with taped(tape) as session:
        session.get(f"{url}/plain", headers={"X-Mine": "1"})
    kept = tape.exchanges[0]
    lines = [line for line in kept.response.headers if line[0] not in ("Server", "Date")]
    assert lines == [
        ("X-Order", "1"),
        ("Set-Cookie", "a=1; Path=/"),
        ("x-order", "2"),
        ("Set-Cookie", "b=2; Path=/"),
        ("Content-Length", "6"),
    ]
    assert [name for name, _ in kept.request.headers] == ["User-Agent", "Accept-Encoding", "Accept", "Connection", "X-Mine"]


def test_every_hop_and_every_failed_answer_is_kept(url: str) -> None:
    tape = Tape()
    with taped(tape) as session:
        session.get(f"{url}/redirect")
        session.get(f"{url}/error")
    assert [(one.request.url.removeprefix(url), one.response.status) for one in tape.exchanges] == [
        ("/redirect", 302),
        ("/plain?hop=2", 200),
        ("/error", 500),
    ]
    assert tape.exchanges[1].request.headers.get("Cookie") == "hop=1"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("short", requests.exceptions.ChunkedEncodingError),
        ("cut", requests.exceptions.ChunkedEncodingError),
        ("gone", requests.exceptions.ConnectionError),
    ],
)
def test_of_an_answer_that_breaks_off_nothing_is_kept(url: str, path: str, kind: type[Exception]) -> None:
    tape = Tape()
    with taped(tape) as session, plain() as other:
        with pytest.raises(kind):
            session.get(f"{url}/{path}")
        with pytest.raises(kind):
            other.get(f"{url}/{path}")
        assert tape.exchanges == ()
        assert session.get(f"{url}/plain").ok


def test_a_streamed_upload_is_kept_and_still_sent(url: str) -> None:
    tape = Tape()
    with taped(tape) as session:
        assert session.post(url, data=(part for part in (b"one ", b"two"))).text == "one two"
        assert session.post(url, data={"a": "ü"}).text == "a=%C3%BC"
    assert [one.request.body for one in tape.exchanges] == [b"one two", b"a=%C3%BC"]


@pytest.mark.proofs
def test_eight_threads_lose_nothing(url: str) -> None:
    """200 requests from 8 threads: vcrpy keeps 6 to 14 of them (research/replay-peers.md, probe 13)."""
    tape = Tape()

    def ask(worker: int) -> list[str]:
        with taped(tape) as session:
            return [session.get(f"{url}/plain?worker={worker}&turn={turn}").text for turn in range(25)]

    with ThreadPoolExecutor(8) as pool:
        answers = [text for texts in pool.map(ask, range(8)) for text in texts]
    expected = sorted(f"/plain?worker={worker}&turn={turn}" for worker in range(8) for turn in range(25))
    assert sorted(answers) == expected
    assert sorted(one.request.url.removeprefix(url) for one in tape.exchanges) == expected
    assert all(one.response.body.decode() == one.request.url.removeprefix(url) for one in tape.exchanges)


def test_an_exchange_is_told_before_its_client_goes_on(url: str) -> None:
    told: list[Exchange] = []
    with taped(Tape(told.append)) as session:
        for turn in range(3):
            session.get(f"{url}/plain?{turn}")
            assert len(told) == turn + 1


def test_other_hosts_are_left_alone(url: str) -> None:
    tape = Tape()
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", TapeAdapter(tape, hosts=["source.tandemdiabetes.com"]))
        assert session.get(f"{url}/gzip").text == TEXT
    assert tape.exchanges == ()
