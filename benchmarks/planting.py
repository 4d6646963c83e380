"""Invented secrets in many encodings, placed where no rule expects one. Pure."""

import base64
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

import orjson

from tandem.endpoints import locate
from tfx.capture import Capture, Seen
from tfx.codec import decoded, encoded
from tfx.exchange import Exchange

SECRETS: Final = (
    Seen(kind="password", value="Br1ght-Copper.Kettle!"),
    Seen(kind="email", value="rosalind.quillfeather@fastmail.com"),
    Seen(kind="serial", value="80412957"),
    Seen(kind="uuid", value="3f9c1b7e-52ad-4c0e-9d61-a84be07c25f3"),
    Seen(kind="full-name", value="Rosalind Quillfeather"),
    Seen(kind="token", value="9a1f4e7cb02d5836e4f7a90c1d2b3856fa70"),
)
FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": lambda value: value,
    "percent": lambda value: "".join(f"%{one:02X}" for one in value.encode()),
    "percent, twice": lambda value: quote(quote(value, safe=""), safe="") if quote(value, safe="") != value else f"%2525{value}",
    "JSON escapes": lambda value: "".join(f"\\u{ord(one):04x}" for one in value),
    "HTML entities": lambda value: "".join(f"&#{ord(one)};" for one in value),
    "base64": lambda value: base64.b64encode(f"id={value};".encode()).decode(),
    "base64 of base64": lambda value: base64.b64encode(base64.b64encode(value.encode())).decode(),
    "JSON in base64": lambda value: base64.urlsafe_b64encode(json.dumps({"v": value}).encode()).decode().rstrip("="),
    "hex": lambda value: value.encode().hex(),
    "base32": lambda value: base64.b32encode(value.encode()).decode(),
    "UTF-16 in base64": lambda value: base64.b64encode(value.encode("utf-16-le")).decode(),
    "reversed": lambda value: value[::-1],
    "capitals": lambda value: html.escape(value.upper()),
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Planted:
    """A secret, and the text by which it stands in the recording."""

    seen: Seen
    form: str
    text: str

    @property
    def raw(self) -> bytes:
        return json.dumps({"note": self.text}).encode()


def planted(capture: Capture) -> tuple[Capture, tuple[Planted, ...]]:
    """The capture with every secret in every form among the account's details, and what was planted."""
    plants = tuple(Planted(seen=seen, form=form, text=write(seen.value)) for seen in SECRETS for form, write in FORMS.items())
    exchanges = tuple(_with_notes(one, plants) if _is_account(one) else one for one in capture.exchanges)
    assert exchanges != capture.exchanges
    return replace(capture, exchanges=exchanges, seen=(*capture.seen, *SECRETS)), plants


def _is_account(exchange: Exchange) -> bool:
    place = locate(exchange.request.method, exchange.request.url)
    return place is not None and place.endpoint.name == "pumper"


def _with_notes(exchange: Exchange, plants: tuple[Planted, ...]) -> Exchange:
    before = exchange.response
    value = orjson.loads(decoded(before.headers, before.body))
    value |= {f"note{number}": one.text for number, one in enumerate(plants)}
    body = encoded(before.headers, orjson.dumps(value))
    return exchange.replacing(response=replace(before, body=body, headers=before.headers.measured(str(len(body)))))
