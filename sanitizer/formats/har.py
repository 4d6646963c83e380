"""HAR 1.2 as browsers, mitmproxy and Charles write it. Pure. Source: the specification at w3c.github.io/web-performance, HAR 1.2.

What the format cannot carry, and a cassette read back therefore lacks: Content-Encoding (bodies stand decoded, so the header goes), and
the terms of replay.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from operator import itemgetter
from urllib.parse import parse_qsl, urlencode, urlsplit

from sanitizer.audit.findings import Finding
from sanitizer.formats.bodies import as_seen
from sanitizer.formats.nodes import base64_bytes, lines, listing, mapping, odd, status, string, text_bytes
from sanitizer.formats.recording import Numbered, Recording, entry_refused, hinted, started, to_tandem
from tandem.endpoints import locate
from tfx import __version__
from tfx.cassette import Cassette
from tfx.errors import FormatError
from tfx.exchange import Exchange, Headers, Request, Response

_REDIRECTS = range(300, 400)


def read(value: object, where: str, *, leaves_out: bool = False) -> Recording:
    """The recording in the value of a HAR file, in the order its requests were started.

    `leaves_out`: an entry that lacks what HAR demands is named in the recording and no error.

    Raises:
        FormatError: it is no HAR file, or an entry with the service lacks what HAR demands.
    """
    if not isinstance(value, dict) or not isinstance(value.get("log"), dict):
        raise FormatError(f"{where} is not a HAR file: it has no log; export it again")
    log = mapping(value["log"], f"{where} log")
    entries: list[tuple[datetime | None, Numbered]] = []
    refused: list[Finding] = []
    elsewhere: list[int] = []
    for index, node in enumerate(listing(log.get("entries"), f"{where} log.entries")):
        place = f"{where} log.entries[{index}]"
        try:
            found = _entry_of(node, place)
        except FormatError as error:
            if not leaves_out:
                raise
            refused.append(entry_refused(index + 1, error, place))
            continue
        if found is None:
            elsewhere.append(index + 1)
        else:
            entries.append((found[0], (index + 1, found[1])))
    known = [(time, numbered) for time, numbered in entries if time is not None]
    if len(known) == len(entries):  # the specification leaves the order of the file to its writer
        known.sort(key=itemgetter(0))
        entries = [*known]
    last = max((time for time, _ in known), default=None)
    return hinted((numbered for _, numbered in entries), elsewhere, last, log.get("_tfx"), refused)


def _entry_of(node: object, place: str) -> tuple[datetime | None, Exchange] | None:
    """When it was started, and the exchange; None for one with another host or without an answer."""
    entry = mapping(node, place)
    sent, got = mapping(entry.get("request"), f"{place}.request"), mapping(entry.get("response"), f"{place}.response")
    url = string(sent.get("url"), f"{place}.request.url")
    # 0 is what browsers write for a request that was blocked or broken off.
    if not to_tandem(url) or status(got.get("status"), f"{place}.response.status") == 0:
        return None
    request = _request(sent, url, f"{place}.request")
    return started(entry.get("startedDateTime"), f"{place}.startedDateTime"), _exchange(request, got, f"{place}.response")


def _request(node: Mapping[str, object], url: str, place: str) -> Request:
    headers = _headers(node.get("headers"), f"{place}.headers")
    body = b""
    if node.get("postData") is not None:
        post = mapping(node["postData"], f"{place}.postData")
        body = _posted(post, f"{place}.postData")
        if body and "content-type" not in headers and post.get("mimeType"):
            headers = Headers([*headers, ("Content-Type", string(post["mimeType"], f"{place}.postData.mimeType"))])
    if not body and _is_told((node.get("bodySize"), headers.get("content-length"))):
        raise FormatError(f"{place}.postData has no text though a size says that there was one; export the HAR with its contents")
    headers, body = as_seen(headers, body)
    return Request(method=string(node.get("method"), f"{place}.method").upper(), url=url, headers=headers, body=body)


def _posted(post: Mapping[str, object], place: str) -> bytes:
    text = string(post.get("text") or "", f"{place}.text")
    if text:
        return base64_bytes(text, f"{place}.text") if post.get("encoding") == "base64" else text_bytes(text, f"{place}.text")
    pairs = []
    for node in listing(post.get("params") or [], f"{place}.params"):
        pair = mapping(node, f"{place}.params")
        pairs.append((string(pair.get("name"), f"{place}.params"), string(pair.get("value") or "", f"{place}.params")))
    try:
        return urlencode(pairs).encode("ascii")
    except UnicodeEncodeError:
        raise odd(f"{place}.params", "holds half a character") from None


def _exchange(request: Request, node: Mapping[str, object], place: str) -> Exchange:
    headers = _headers(node.get("headers"), f"{place}.headers")
    number = status(node.get("status"), f"{place}.status")
    onward = node.get("redirectURL")
    if number in _REDIRECTS and isinstance(onward, str) and onward and "location" not in headers:
        headers = Headers([*headers, ("Location", onward)])
    content = mapping(node.get("content") or {}, f"{place}.content")
    body = _content(content, f"{place}.content")
    sizes = (content.get("size"), node.get("bodySize"), headers.get("content-length"))
    if not body and number < HTTPStatus.MULTIPLE_CHOICES and _is_json(headers, request) and (content.get("size") != 0 or _is_told(sizes)):
        raise FormatError(f"{place}.content has no text, and its size does not say that there was none; export the HAR with its contents")
    headers, body = as_seen(headers, body)
    reason = string(node.get("statusText") or "", f"{place}.statusText")
    return Exchange(request=request, response=Response(status=number, reason=reason, headers=headers, body=body))


def _content(content: Mapping[str, object], place: str) -> bytes:
    text = string(content.get("text") or "", f"{place}.text")
    return base64_bytes(text, f"{place}.text") if content.get("encoding") == "base64" else text_bytes(text, f"{place}.text")


def _is_told(sizes: Iterable[object]) -> bool:
    """Whether a size says that there was a body; -1 is the format's "not known"."""
    return any(str(size).isdecimal() and str(size).strip("0") for size in sizes)


def _is_json(headers: Headers, request: Request) -> bool:
    # Of pages and pictures nothing is kept anyway.
    try:
        return locate(request.method, request.url) is not None and "json" in headers.get("content-type").lower()
    except ValueError:
        return False


def _headers(value: object, place: str) -> Headers:
    found = []
    for node in listing(value, place):
        line = mapping(node, place)
        found.append((string(line.get("name"), place), string(line.get("value") or "", place)))
    return lines(found)


def write(cassette: Cassette) -> bytes:
    """The cassette as a HAR 1.2 file; each entry starts at the cassette's clock."""
    clock = cassette.clock.strftime("%Y-%m-%dT%H:%M:%SZ")
    log = {
        "version": "1.2",
        "creator": {"name": "tfx", "version": __version__},
        "_tfx": {"clock": clock, "era": cassette.era, "region": cassette.region},
        "entries": [_entry(one, clock) for one in cassette.exchanges],
    }
    return (json.dumps({"log": log}, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _entry(exchange: Exchange, clock: str) -> dict[str, object]:
    return {
        "startedDateTime": clock,
        "time": 0,
        "request": _request_node(exchange.request),
        "response": _response_node(exchange.response),
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
    }


def _request_node(request: Request) -> dict[str, object]:
    body = as_seen(request.headers, request.body)[1]
    pairs = [pair.strip().partition("=") for line in request.headers.all("cookie") for pair in line.split(";") if pair.strip()]
    node: dict[str, object] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [{"name": name, "value": value} for name, _, value in pairs],
        "headers": _lines(request.headers),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(urlsplit(request.url).query, keep_blank_values=True)],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if body:
        node["postData"] = {"mimeType": request.headers.get("content-type"), "params": [], **_text(body)}
    return node


def _response_node(response: Response) -> dict[str, object]:
    body = as_seen(response.headers, response.body)[1]
    pairs = [line.partition(";")[0].partition("=") for line in response.headers.all("set-cookie")]
    return {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": "HTTP/1.1",
        "cookies": [{"name": name, "value": value} for name, _, value in pairs],
        "headers": _lines(response.headers),
        "content": {"size": len(body), "mimeType": response.headers.get("content-type"), **_text(body)},
        "redirectURL": response.headers.get("location"),
        "headersSize": -1,
        "bodySize": len(response.body),
    }


def _lines(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": b64encode(body).decode("ascii"), "encoding": "base64"}
