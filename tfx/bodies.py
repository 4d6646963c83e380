"""How a body is stored in a cassette file: JSON in place, forms as pairs, text, pump records one per line, else base64. Pure.

A form is chosen only if it gives the very bytes again; where none does, the bytes themselves are kept.
"""

import base64
import binascii
from typing import Final, cast
from urllib.parse import parse_qsl, urlencode

from tfx import codec, jsonbody
from tfx.errors import CassetteError
from tfx.exchange import Headers
from tfx.jsonbody import Json

ROW: Final = 26
"""Bytes of a base64 string shown on one line: a pump record's length (any other content only breaks lines elsewhere)."""

Node = dict[str, Json]

FORMS: Final = frozenset({"json", "records", "form", "text", "base64", "wire"})
"""The members a body may have, one of them, beside `style`."""


def body_node(headers: Headers, body: bytes) -> Node:
    """The JSON that stands for a wire body under these headers; empty for an empty body."""
    if not body:
        return {}
    plain = codec.decoded(headers, body)
    if codec.encoded(headers, plain) != body:
        return {"wire": base64.b64encode(body).decode("ascii")}
    return _form_node(headers, plain) or _json_node(plain) or _text_node(plain) or {"base64": base64.b64encode(plain).decode("ascii")}


def body_bytes(headers: Headers, node: Node) -> bytes:
    """The wire body a node stands for.

    Raises:
        CassetteError: the node is of no known form.
    """
    if "wire" in node:
        return base64.b64decode(_string(node, "wire"), validate=True)
    return codec.encoded(headers, plain_bytes(node))


def plain_bytes(node: Node) -> bytes:
    """The body a client sees, before any Content-Encoding.

    Raises:
        CassetteError: the node is of no known form.
    """
    try:
        if not node:
            return b""
        if "json" in node:
            return jsonbody.write(node["json"], str(node.get("style", "compact")))
        if "records" in node:
            return jsonbody.write(_joined(node), str(node.get("style", "compact")))
        if "form" in node:
            return urlencode([(key, value) for key, value in cast("list[tuple[str, str]]", node["form"])]).encode("ascii")
        if "text" in node:
            return _string(node, "text").encode("utf-8")
        return base64.b64decode(_string(node, "base64"), validate=True)
    except (KeyError, TypeError, ValueError):
        raise CassetteError("a body on the cassette is of no form this tfx knows; restore the file with: git checkout -- FILE") from None


def seen_to(node: Node) -> Node:
    """The node, seen to be of a known form without making its bytes.

    Raises:
        TypeError, KeyError, ValueError: it is not.
    """
    forms = set(node) - {"style"}
    if not node:
        return node
    if len(forms) != 1 or not forms <= FORMS or ("style" in node and node["style"] not in jsonbody.STYLES):
        raise ValueError
    if "json" not in node:
        plain_bytes(node) if "wire" not in node else base64.b64decode(_string(node, "wire"), validate=True)
    return node


def _form_node(headers: Headers, plain: bytes) -> Node | None:
    if not headers.get("content-type").lower().startswith("application/x-www-form-urlencoded"):
        return None
    try:
        pairs = parse_qsl(plain.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    if urlencode(pairs).encode("ascii") != plain:
        return None
    return {"form": [[key, value] for key, value in pairs]}


def _json_node(plain: bytes) -> Node | None:
    if plain[:1] not in b'{["' and not plain[:1].isdigit() and plain not in (b"null", b"true", b"false"):
        return None
    found = jsonbody.style_of(plain)
    if found is None:
        return None
    value, style = found
    node = _record_node(value) or {"json": value}
    return node if style == "compact" else {**node, "style": style}


def _record_node(value: Json) -> Node | None:
    if not isinstance(value, str) or len(value) < ROW:
        return None
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    if base64.b64encode(raw).decode("ascii") != value:
        return None
    return {"records": [raw[start : start + ROW].hex() for start in range(0, len(raw), ROW)]}


def _joined(node: Node) -> str:
    rows = node["records"]
    if not isinstance(rows, list):
        raise TypeError
    if "" in rows:  # a record that somebody took out would leave no trace
        raise ValueError
    return base64.b64encode(bytes.fromhex("".join(str(row) for row in rows))).decode("ascii")


def _text_node(plain: bytes) -> Node | None:
    try:
        text = plain.decode("utf-8")
    except UnicodeDecodeError:
        return None
    # Control characters other than white space mean that it is no text, whatever UTF-8 says.
    return {"text": text} if text.isprintable() or all(char.isprintable() or char in "\t\r\n" for char in text) else None


def _string(node: Node, key: str) -> str:
    value = node[key]
    if not isinstance(value, str):
        raise TypeError(key)
    return value
