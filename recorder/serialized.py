"""Serialize exchanges, for the encrypted file of an unfinished recording and for the pipe from a child process. Pure."""

import base64
import json

from tfx.exchange import Exchange, Headers, Request, Response


def serialize(exchange: Exchange) -> bytes:
    """The exchange as bytes. They hold secrets in plain: seal them, or keep them in memory."""
    request, response = exchange.request, exchange.response
    parts = {
        "request": [request.method, request.url, list(request.headers), base64.b64encode(request.body).decode()],
        "response": [response.status, response.reason, list(response.headers), base64.b64encode(response.body).decode()],
    }
    return json.dumps(parts).encode()


def deserialize(letter: bytes) -> Exchange:
    """The exchange that `serialize` wrote."""
    parts = json.loads(letter)
    method, url, sent, asked = parts["request"]
    status, reason, got, answered = parts["response"]
    return Exchange(
        request=Request(method=method, url=url, headers=_headers(sent), body=base64.b64decode(asked)),
        response=Response(status=status, reason=reason, headers=_headers(got), body=base64.b64decode(answered)),
    )


def _headers(lines: list[list[str]]) -> Headers:
    return Headers((name, value) for name, value in lines)
