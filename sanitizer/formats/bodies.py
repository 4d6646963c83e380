"""Find out from the bytes whether a tool decoded a body although it kept the Content-Encoding header. Pure."""

from tfx.codec import codings, decoded
from tfx.errors import RefusedError
from tfx.exchange import Headers


def as_wire(headers: Headers, body: bytes) -> Headers:
    """The headers that tell the truth of this body: urllib3 hands vcrpy decoded bytes under the header of the encoded ones.

    What is packed in a way nobody here undoes keeps its header, so that the sanitizer refuses it by that name.
    """
    if "content-encoding" not in headers:
        return headers
    try:
        # Nothing that was decoded decodes again: gzip and deflate carry their own marks and sums.
        is_packed = bool(body and codings(headers)) and decoded(headers, body) is not None
    except RefusedError:
        is_packed = not _is_text(body)
    return headers if is_packed else headers.without("content-encoding")


def as_seen(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """Headers and body as a client sees them, without Content-Encoding; what cannot be undone stays as it is."""
    kept = as_wire(headers, body)
    try:
        return kept.without("content-encoding"), decoded(kept, body)
    except RefusedError:
        return kept, body


def measured(headers: Headers, body: bytes) -> Headers:
    """The headers with the length of this body, if they had one."""
    return headers.replacing("Content-Length", str(len(body))) if "content-length" in headers else headers


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
