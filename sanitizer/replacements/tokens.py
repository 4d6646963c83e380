"""JWTs: decode strictly, sanitize claim by claim, sign again with the published test key."""

import base64
import binascii
from collections.abc import Callable

from sanitizer.places.visitors import Visitor
from sanitizer.replacements.epoch import Odd
from tfx.errors import FormatError, RefusedError
from tfx.jsonbody import Json, parse, write

_PARTS = 3


def token(visitor: Visitor, value: Json, place: str, claims: Callable[[Json], Json]) -> Json:
    """The token with sanitized claims, or a finding if it is not one of ours.

    Raises:
        RefusedError: it is not a JWT with a JSON object of claims; an encrypted token has five parts and is refused too.
    """
    if value == "":
        return value
    try:
        header, found = opened(value)
    except (Odd, FormatError):
        if visitor.changes:
            raise RefusedError(
                f"#{visitor.run.exchange} {place} is not a token tfx can read (a signed JWT with JSON claims), so it cannot be made clean; "
                "nothing was written. Record without that exchange, or report the new token format"
            ) from None
        visitor.note(place, "not a token that can be read")
        return value
    visitor.count("jwt", place)
    if not visitor.changes:
        claims(found)
        if not is_written(value, header, found):
            visitor.note(place, "a token that is not written as the sanitizer writes it")
        if not is_signed(value, header):
            visitor.note(place, "a token that is not signed with the published test key")
        return value
    from tfx.signing import sign

    assert isinstance(value, str)
    clean = claims(found)
    assert isinstance(clean, dict)
    changed = sign(clean)
    visitor.run.ordinals.replaced("id-token", value, changed)
    visitor.run.ordinals.replaced("id-token signature", value.rpartition(".")[2], changed.rpartition(".")[2])
    return changed


def is_written(value: Json, header: Json, claims: Json) -> bool:
    """Whether header and claims have no white space or spelling of their own."""
    parts = str(value).split(".")
    return [_decoded(part) for part in parts[:2]] == [write(header), write(claims)]


def is_signed(value: Json, header: Json) -> bool:
    """Whether a token carries our signature and nothing else in its header."""
    from tfx.signing import KID, is_ours

    return isinstance(value, str) and header == {"alg": "RS256", "kid": KID, "typ": "JWT"} and is_ours(value)


def opened(value: Json) -> tuple[Json, dict[str, Json]]:
    """JOSE header and claims; Odd or FormatError if it is no signed JWT."""
    parts = value.split(".") if isinstance(value, str) else []
    if len(parts) != _PARTS:
        raise Odd
    header, claims = parse(_decoded(parts[0])), parse(_decoded(parts[1]))
    _decoded(parts[2])
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Odd
    return header, claims


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Odd from None
