"""What Chrome, Firefox, mitmproxy and Charles write beyond the exchange itself: with secrets in each such field, none comes out.

The fields are those of HAR 1.2 and of the tools' own exporters; fields with an underscore in front are a tool's own.
"""

import base64
import json
from collections.abc import Callable
from typing import cast

from sanitizer.check import looked_at
from sanitizer.formats import har
from sanitizer.formats.recording import capture_of
from sanitizer.scrub import scrub
from tfx.store import dumps

NAME, MAIL, TOKEN, ADDRESS = "Ottilie Brandvold", "ottilie.brandvold@example.net", "tok-5f2e9c81ab77d3", "203.0.113.77"
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
LOGS = f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ID}?eventCodes=16"
SOCKET = "wss://source.tandemdiabetes.com"
SECRETS = (NAME, MAIL, TOKEN, ADDRESS)
ALL = f"{NAME} {MAIL} {TOKEN} {ADDRESS}"
BODY = json.dumps({"events": [], "clockChanges": []})

Node = dict[str, object]
Plant = Callable[[Node, Node], None]
"""Puts something into the log, and into its one entry."""


def at(path: str, value: object) -> Plant:
    """The value at a path of the entry, or of the log where the path begins with `log`."""

    def plant(log: Node, entry: Node) -> None:
        *way, last = path.removeprefix("log.").split(".")
        node = log if path.startswith("log.") else entry
        for name in way:
            node = cast("Node", node.setdefault(name, {}))
        found = node.get(last)
        node[last] = [*found, *value] if isinstance(found, list) and isinstance(value, list) else value

    return plant


def message(kind: str) -> list[Node]:
    return [{"type": kind, "time": 1, "opcode": 1, "data": ALL}]


def another(url: str, status: int, **more: object) -> Plant:
    """An entry of its own beside the first."""

    def plant(log: Node, entry: Node) -> None:
        answer = {**cast("Node", entry["response"]), "status": status, "content": {"text": ALL, "mimeType": "text/plain"}}
        cast("list[Node]", log["entries"]).append(
            {**entry, **more, "request": {**cast("Node", entry["request"]), "url": url}, "response": answer}
        )

    return plant


STACK = {"type": "script", "stack": {"callFrames": [{"functionName": NAME, "url": f"https://x.example.org/?t={TOKEN}", "lineNumber": 1}]}}
COOKIES = [{"name": "idsrv", "value": TOKEN, "domain": MAIL, "expires": "2026-11-19T00:00:00Z", "comment": NAME}]
BY_BASE64 = {"text": base64.b64encode(BODY.encode()).decode(), "encoding": "base64", "mimeType": "application/json", "size": len(BODY)}

FIELDS: tuple[tuple[str, str, Plant], ...] = (
    ("Chrome", "who asked", at("_initiator", STACK)),
    ("Chrome", "messages of a WebSocket", at("_webSocketMessages", message("send"))),
    (
        "Chrome",
        "a WebSocket of the service",
        another(f"{SOCKET}/{TOKEN}", 101, _webSocketMessages=message("receive")),
    ),
    ("Chrome", "the server's address", at("serverIPAddress", ADDRESS)),
    ("Chrome", "the connection", at("connection", ALL)),
    ("Chrome", "a page's title", at("log.pages", [{"id": "page_1", "title": ALL, "startedDateTime": "2026-10-05T18:30:00Z"}])),
    ("Chrome", "which page", at("pageref", ALL)),
    ("Chrome", "what went wrong", at("response._error", ALL)),
    ("Chrome", "where it was cached", at("response._fetchedViaServiceWorker", ALL)),
    ("Chrome", "names of HTTP/2", at("request.headers", [{"name": f":{name}", "value": ALL} for name in ("authority", "path", "scheme")])),
    ("Chrome", "a preflight that failed", another(LOGS.replace("https", "http"), 0, _resourceType="preflight")),
    ("Firefox", "cookies sent", at("request.cookies", COOKIES)),
    ("Firefox", "cookies set", at("response.cookies", COOKIES)),
    ("Firefox", "the state of security", at("_securityState", ALL)),
    ("Firefox", "the cache before", at("cache", {"beforeRequest": {"eTag": TOKEN, "comment": NAME}, "afterRequest": {"eTag": MAIL}})),
    ("Firefox", "the browser", at("log.browser", {"name": NAME, "version": TOKEN, "comment": MAIL})),
    ("Firefox", "a body as base64", at("response.content", BY_BASE64 | {"comment": ALL})),
    ("Firefox", "a body that was discarded", at("response.content.comment", ALL)),
    ("mitmproxy", "messages of a WebSocket", at("_websocketMessages", message("request"))),
    ("mitmproxy", "the client's address", at("clientIPAddress", ADDRESS)),
    ("mitmproxy", "compression", at("response.content.compression", ALL)),
    ("mitmproxy", "times", at("timings", {"send": 0, "wait": 0, "receive": 0, "comment": ALL})),
    ("Charles", "notes", at("comment", ALL)),
    ("Charles", "notes on the log", at("log.comment", ALL)),
    ("Charles", "who made it", at("log.creator", {"name": NAME, "version": TOKEN, "comment": MAIL})),
    ("Charles", "a query that is not the URL's", at("request.queryString", [{"name": MAIL, "value": TOKEN, "comment": NAME}])),
    ("Charles", "the version of HTTP", at("request.httpVersion", ALL)),
    ("Charles", "another address behind the redirect", at("response.redirectURL", f"https://x.example.org/?t={TOKEN}&u={MAIL}")),
    ("Charles", "a header's note", at("response.headers", [{"name": "X-Charles-Note", "value": ALL, "comment": ALL}])),
    ("any", "members nobody has heard of", at("_own", {NAME: {MAIL: [TOKEN, ADDRESS]}})),
)


def file(plant: Plant) -> Node:
    """A HAR file of one exchange, and what a tool adds to it."""
    answer = {
        "status": 200,
        "statusText": "OK",
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "cookies": [],
        "content": {"size": len(BODY), "mimeType": "application/json", "text": BODY},
        "redirectURL": "",
    }
    entry: Node = {
        "startedDateTime": "2026-10-05T18:30:00Z",
        "request": {"method": "GET", "url": LOGS, "headers": [], "cookies": [], "queryString": []},
        "response": answer,
    }
    log: Node = {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [entry]}
    plant(log, entry)
    return {"log": log}


def test_no_field_of_any_tool_comes_out() -> None:
    wrong = []
    for tool, what, plant in FIELDS:
        made = file(plant)
        assert any(secret in json.dumps(made) for secret in SECRETS) or "preflight" in what, "something is hidden"
        recording = har.read(json.loads(json.dumps(made)), "x.har")
        done = scrub(capture_of(recording, "x.har"), name="x")
        text = dumps(done.cassette).decode() + " ".join(map(str, done.findings)) + repr(recording) + json.dumps([*map(list, done.touched)])
        wrong += [f"{tool}, {what}: {secret}" for secret in SECRETS if secret.lower() in text.lower()]
        # The exchange itself is there all the same, whatever a tool wrote around it.
        wrong += [
            f"{tool}, {what}: the exchange is gone" for _ in [0] if LOGS.partition(ID)[0] not in done.cassette.exchanges[0].request.url
        ]
        wrong += [f"{tool}, {what}: {finding}" for finding in looked_at(done.cassette)]
    assert wrong == []
