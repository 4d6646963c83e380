"""Bodies that a tool decoded and left the header on, or did not: which it was is told by the bytes. Pure."""

from tfx.codec import codings, decoded
from tfx.errors import RefusedError
from tfx.exchange import Headers


def as_wire(headers: Headers, body: bytes) -> Headers:
    """The headers that tell the truth of this body: urllib3 hands vcrpy decoded bytes under the header of the encoded ones."""
    if not body or "content-encoding" not in headers:
        return headers
    try:
        # Nothing that was decoded decodes again: gzip and deflate carry their own marks and sums.
        return headers if codings(headers) and decoded(headers, body) is not None else headers.without("content-encoding")
    except RefusedError:
        return headers.without("content-encoding")


def as_seen(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """Headers and body as a client sees them, without Content-Encoding."""
    kept = as_wire(headers, body)
    return kept.without("content-encoding"), decoded(kept, body)


def measured(headers: Headers, body: bytes) -> Headers:
    """The headers with the length of this body, where they told one."""
    return headers.replacing("Content-Length", str(len(body))) if "content-length" in headers else headers
