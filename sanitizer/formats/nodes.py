"""Read members of a foreign file by type; what is missing or odd is reported by place, never by value. Pure."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import cast

from tfx.errors import FormatError
from tfx.exchange import Headers
from tfx.jsonbody import TOO_LONG, Json, parse

_BOM = b"\xef\xbb\xbf"


def json_file(data: bytes, where: str) -> Json:
    """The value of a JSON file; a byte order mark, which HAR allows, is taken off.

    Raises:
        FormatError: it is not whole, strict JSON.
    """
    try:
        return parse(data.removeprefix(_BOM))
    except FormatError as error:
        raise FormatError(f"{where} cannot be read as JSON: {str(error).removeprefix('a JSON body ')}; save it again") from None


def mapping(value: object, where: str) -> Mapping[str, object]:
    """An object with text keys."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise odd(where, "is not an object")
    return cast("Mapping[str, object]", value)


def listing(value: object, where: str) -> list[object]:
    """A list."""
    if not isinstance(value, list):
        raise odd(where, "is not a list")
    return cast("list[object]", value)


def string(value: object, where: str) -> str:
    """A text; a number is taken for its digits, as hand-edited files have them."""
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # YAML writes numbers to other bases than ten, as long as they like
            raise odd(where, TOO_LONG) from None
    if not isinstance(value, str):
        raise odd(where, "is not a text")
    return value


def status(value: object, where: str) -> int:
    """A status code of HTTP; 0 says that there was no answer."""
    if not isinstance(value, int) or isinstance(value, bool) or not (value == 0 or 100 <= value <= 599):  # noqa: PLR2004  # what HTTP has
        raise odd(where, "is not a status of HTTP")
    return value


def text_bytes(value: str, where: str) -> bytes:
    """A text as UTF-8."""
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise odd(where, "holds half a character") from None


def base64_bytes(value: str, where: str) -> bytes:
    """What a text holds in base64."""
    try:
        return b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise odd(where, "is not base64") from None


def lines(pairs: list[tuple[str, str]]) -> Headers:
    """Header lines: several values that a browser joined by line feeds stand apart, and what is HTTP/2's own (`:path`) goes."""
    return Headers((name, one) for name, value in pairs if name and not name.startswith(":") for one in value.split("\n"))


def odd(where: str, what: str) -> FormatError:
    """The error about one place."""
    return FormatError(f"{where} {what}; the file was changed or cut after it was recorded, so export or record it again")
