"""Build responses as the service sends them; which request headers decide access. Pure. None of it is public: a guess."""

import gzip
from http import HTTPStatus
from typing import Final

from tfx.codec import accepts
from tfx.exchange import Headers, Response

Line = tuple[str, str]
GZIP_FROM: Final = 150
"""Bodies shorter than this are not worth compressing, bytes."""
EXPIRED: Final = 'Bearer error="invalid_token", error_description="The access token is expired or unknown"'
"""The challenge of a 401 where a token came along; without one it says no more than `Bearer` (RFC 6750, 3.1)."""


def compressed(body: bytes, accept_encoding: str) -> tuple[list[Line], bytes]:
    """The header lines on its coding, and a body as it goes to a client with this Accept-Encoding."""
    if len(body) < GZIP_FROM:
        return [], body
    vary = ("Vary", "Accept-Encoding")
    if not accepts(accept_encoding, ("gzip",)):
        return [vary], body
    return [vary, ("Content-Encoding", "gzip")], gzip.compress(body, compresslevel=6, mtime=0)


def response_of(
    status: int, body: bytes = b"", *, content_type: str = "", accept_encoding: str = "", more: tuple[Line, ...] = ()
) -> Response:
    """A response with the headers a client may rely on."""
    coding, sent = compressed(body, accept_encoding)
    kind = [("Content-Type", content_type)] if content_type else []
    lines = [*kind, *coding, ("Content-Length", str(len(sent))), ("Connection", "keep-alive"), *more]
    return Response(status=status, reason=HTTPStatus(status).phrase, headers=Headers(lines), body=sent)


def bearer_of(authorization: str) -> str:
    """The token of an Authorization header; nothing if it has none. RFC 9110: the scheme's case and further blanks do not count."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_same_origin(headers: Headers, source: str) -> bool:
    """Whether Origin and Referer are the web application's, letter for letter; `source` is its URL, with the slash at the end."""
    return headers.get("Origin") == source.rstrip("/") and headers.get("Referer") == source
