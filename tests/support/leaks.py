"""Invented secrets, ways to write them and places to hide them: the cases of the leak tests."""

import base64
import bz2
import gzip
import hashlib
import html
import io
import json
import lzma
import quopri
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus
from uuid import UUID

from tandem.records import Records
from tfx.capture import Seen
from tfx.exchange import Exchange, Headers, Request, Response

SECRETS = {
    "e-mail": "ottilie.brandvold+pump@example.net",
    "password": "k9!Wären&Soße 7%/x",
    "name": "Ottilié Brandvold",
    "birth date": "1961-08-23",
    "serial": "61482957",
    "device id": "482957",
    "id": "3c1f7a52-9b0e-4d68-8e21-5ad4c0f7b913",
    "token": "Zk3vQ8rT1yW6uB9nM4cX7aS2dF5gH0jKpL8eR6tY3wQ1zV5bN7mC4xJ9hG2fD0sA",
    "settings hash": "c49f03be7a5d12e86b90fd3471ac28e5d6b7031f",
    "transmitter id": "8GQ7Z2",
    "caregiver": "Hjalmar Oxenstierna",
}
"""Kind -> value. Invented for these tests."""


OTHERS = {
    "e-mail": "mariann.oxenlooke+tank@example.net",
    "password": "m3!Törin&Muße 4%/z",
    "name": "Mariané Oxenlooke",
    "birth date": "1957-11-05",
    "serial": "73950264",
    "device id": "739502",
    "id": "b81d40f6-2c95-4a37-b06e-e92f17c3d584",
    "token": "Qw7xT2nK5eB8rJ1vP3yL6mD9hS4gC0fAzU2iO7kE5tN8aR1uI6bM3pF9jV4lX0qG",
    "settings hash": "7ae105d29c4b38f6701e2d95c8b3f4a60e9c815b",
    "transmitter id": "3KD9W5",
    "caregiver": "Siegrun Falkenbergh",
}
"""Somebody else's, of the same shapes."""


def seen(*kinds: str, values: Mapping[str, str] = SECRETS) -> tuple[Seen, ...]:
    """The values as a recorder would have noted them; all where no kind is named."""
    return tuple(Seen(kind=kind, value=value) for kind, value in values.items() if not kinds or kind in kinds)


# --- ways to write a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to write a value. `write` gives text; `only` are the kinds it is for; `found` is whether a search could know it."""

    name: str
    write: Callable[[str], str]
    only: tuple[str, ...] = ()
    found: bool = True

    def fits(self, kind: str) -> bool:
        """Whether it is for that kind."""
        return not self.only or kind in self.only


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(value: str) -> bytes:
    return value.encode()


def _zstd(raw: bytes) -> bytes:
    """A frame of one block that is not compressed (RFC 8878)."""
    size = (len(raw) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(raw) % 256]) + size + raw


def _zip(raw: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", raw)
    return out.getvalue()


def _deep(value: str, times: int) -> str:
    for _ in range(times):
        value = json.dumps({"a": value})
    return value


def _jwt(value: str) -> str:
    parts = ({"alg": "RS256", "typ": "JWT"}, {"iss": "x", "note": value})
    return ".".join((*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2lnbmF0dXJlAA"))


def _hashed(name: str, write: Callable[[bytes], str]) -> Callable[[str], str]:
    return lambda value: write(hashlib.new(name, value.lower().encode(), usedforsecurity=False).digest())


def _shaped(shape: str) -> Callable[[str], str]:
    return lambda value: shape.format(*value.split("-"))


def _parted(mark: str) -> Callable[[str], str]:
    return lambda value: mark.join((value[:-3], value[-3:]))


_MAIL, _NAMES, _DIGITS, _ID, _DAY, _LONG = ("e-mail",), ("name", "caregiver"), ("serial", "device id"), ("id",), ("birth date",), ("token",)
_TEXTS = ("e-mail", "password", "name", "birth date", "serial", "id", "token", "settings hash", "caregiver")
"""Kinds of values that are long enough to be found inside a longer encoded text."""

WAYS: tuple[Way, ...] = (
    Way(name="plain", write=str),
    Way(name="in a sentence", write=lambda value: f"of {value}, twice: {value}."),
    Way(name="upper case", write=str.upper),
    Way(name="case-folded", write=str.casefold),
    Way(name="NFD", write=lambda value: unicodedata.normalize("NFD", value)),
    Way(name="NFC", write=lambda value: unicodedata.normalize("NFC", value)),
    Way(name="full-width", write=lambda value: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in value)),
    Way(name="zero-width inside", write=lambda value: value[:3] + "\u200b" + value[3:]),
    Way(name="reversed", write=lambda value: value[::-1], only=_TEXTS),
    Way(name="without punctuation", write=lambda value: "".join(one for one in value if one.isalnum())),
    Way(name="percent", write=lambda value: quote(value, safe="")),
    Way(name="percent twice", write=lambda value: quote(quote(value, safe=""), safe="")),
    Way(name="percent, every byte", write=lambda value: "".join(f"%{one:02x}" for one in value.encode())),
    Way(name="plus", write=quote_plus),
    Way(name="JSON escapes", write=lambda value: json.dumps(value)[1:-1]),
    Way(name="every letter escaped", write=lambda value: "".join(f"\\u{ord(one):04x}" for one in value)),
    Way(name="JSON in JSON", write=lambda value: _deep(value, 1)),
    Way(name="JSON four deep", write=lambda value: _deep(value, 4)),
    Way(name="HTML", write=html.escape),
    Way(name="HTML numbers", write=lambda value: "".join(f"&#{ord(one)};" for one in value)),
    Way(name="HTML hex", write=lambda value: "".join(f"&#x{ord(one):X};" for one in value)),
    Way(name="base64", write=lambda value: _b64(_raw(value))),
    Way(name="base64, one off", write=lambda value: _b64(b"x" + _raw(value) + b" and more"), only=_TEXTS),
    Way(name="base64, two off", write=lambda value: _b64(b"xy" + _raw(value) + b" and more"), only=_TEXTS),
    Way(name="base64url", write=lambda value: base64.urlsafe_b64encode(b">>>???" + _raw(value)).decode().rstrip("=")),
    Way(name="base64url, one off", write=lambda value: base64.urlsafe_b64encode(b"\xff" + _raw(value)).decode().rstrip("="), only=_TEXTS),
    Way(name="base64url, two off", write=lambda value: base64.urlsafe_b64encode(b"\xff\xfe" + _raw(value)).decode(), only=_TEXTS),
    Way(name="base64 twice", write=lambda value: _b64(_b64(_raw(f"<{value}>")).encode())),
    Way(name="base64 in lines", write=lambda value: base64.encodebytes(b"x" * 50 + _raw(value) + b"y" * 50).decode(), only=_TEXTS),
    Way(name="base32", write=lambda value: base64.b32encode(_raw(value)).decode()),
    Way(name="base85", write=lambda value: base64.b85encode(_raw(value)).decode(), only=tuple(set(_TEXTS) - {"birth date", "serial"})),
    Way(name="ascii85", write=lambda value: base64.a85encode(_raw(value)).decode(), only=tuple(set(_TEXTS) - {"birth date", "serial"})),
    Way(name="hex", write=lambda value: _raw(value).hex()),
    Way(name="hex in capitals", write=lambda value: _raw(value).hex().upper()),
    Way(name="hex with spaces", write=lambda value: _raw(value).hex(" "), only=_TEXTS),
    Way(name="UTF-16, little", write=lambda value: _b64(value.encode("utf-16-le"))),
    Way(name="UTF-16, big", write=lambda value: _b64(value.encode("utf-16-be"))),
    Way(name="gzip", write=lambda value: _b64(gzip.compress(_raw(value), mtime=0))),
    Way(name="zlib", write=lambda value: _b64(zlib.compress(_raw(value)))),
    Way(name="gzip twice", write=lambda value: _b64(gzip.compress(gzip.compress(_raw(value), mtime=0), mtime=0))),
    Way(name="bz2", write=lambda value: _b64(bz2.compress(_raw(value)))),
    Way(name="xz", write=lambda value: _b64(lzma.compress(_raw(value)))),
    Way(name="zip", write=lambda value: _b64(_zip(_raw(value)))),
    Way(name="zstd", write=lambda value: _b64(_zstd(_raw(f"a text of {value} and no more of it")))),
    Way(name="gzip with a name", write=lambda value: _b64(b"\x1f\x8b\x08\x08" + bytes(6) + _raw(value) + b"\0" + gzip.compress(b"x")[10:])),
    Way(name="a claim of a token", write=_jwt),
    Way(name="quoted-printable", write=lambda value: quopri.encodestring(_raw(f"é {value} =")).decode()),
    Way(name="quoted-printable, folded", write=lambda value: f"{value[:4]}=\n{value[4:]} =C3=A9"),
    Way(name="an encoded word", write=lambda value: f"=?UTF-8?B?{_b64(_raw(value))}?="),
    Way(name="XML", write=lambda value: f'<login user="{html.escape(value)}"/>'),
    Way(name="CSV", write=lambda value: f'"Name","SN"\r\n"{value}",1\r\n'),
    Way(name="a name and a domain", write=lambda value: value.partition("@")[0], only=_MAIL),
    Way(name="without its tag", write=lambda value: value.partition("+")[0], only=_MAIL),
    Way(name="as one mailbox", write=lambda value: value.partition("+")[0].replace(".", "") + "@example.net", only=_MAIL),
    Way(name="last name first", write=lambda value: ", ".join(reversed(value.split())), only=_NAMES),
    Way(name="a slug", write=lambda value: "-".join(value.lower().split()), only=_NAMES),
    Way(name="without accents", write=lambda value: unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode(), only=_NAMES),
    Way(name="initials", write=lambda value: "".join(one[0] for one in value.split()), only=_NAMES, found=False),
    *(Way(name=f"as {shape}", write=_shaped(shape), only=_DAY) for shape in ("{2}.{1}.{0}", "{1}/{2}/{0}", "{0}{1}{2}", "{0}/{1}/{2}")),
    Way(name="in words", write=lambda _: "August 23, 1961", only=_DAY),
    Way(name="days of age", write=lambda _: "23829", only=_DAY, found=False),
    Way(name="with a letter in front", write=lambda value: f"SN{value}X", only=_DIGITS),
    Way(name="with zeros in front", write=lambda value: value.zfill(12), only=_DIGITS),
    *(Way(name=f"with {mark!r} between", write=_parted(mark), only=_DIGITS) for mark in (".", ",", " ", "-", "_", "'")),
    Way(name="behind a point", write=lambda value: f"0.{value}", only=_DIGITS),
    Way(name="radix sixteen", write=lambda value: f"0x{int(value):x}", only=("serial",)),
    Way(name="big-endian", write=lambda value: _b64(b"\x12\x81" + int(value).to_bytes(4, "big") + b"\xff" * 4), only=("serial",)),
    Way(name="little-endian", write=lambda value: _b64(b"\x12\x81" + int(value).to_bytes(4, "little") + b"\xff" * 4), only=("serial",)),
    Way(name="big-endian hex", write=lambda value: int(value).to_bytes(4, "big").hex(), only=("serial",)),
    Way(name="masked", write=lambda value: f"****{value[-4:]}", only=_DIGITS),
    Way(name="masked with points", write=lambda value: f"••{value[-4:]}", only=_DIGITS),
    Way(name="no dashes", write=lambda value: value.replace("-", ""), only=_ID),
    Way(name="braces", write=lambda value: f"{{{value.upper()}}}", only=_ID),
    Way(name="a URN", write=lambda value: f"urn:uuid:{value}", only=_ID),
    Way(name="its bytes", write=lambda value: _b64(UUID(value).bytes), only=_ID),
    Way(
        name="its bytes in .NET's order", write=lambda value: base64.urlsafe_b64encode(UUID(value).bytes_le).decode().rstrip("="), only=_ID
    ),
    Way(name="its bytes in hex, .NET", write=lambda value: UUID(value).bytes_le.hex(), only=_ID),
    Way(name="a number", write=lambda value: str(UUID(value).int), only=_ID),
    Way(name="its first half", write=lambda value: value[: len(value) // 2], only=_LONG),
    Way(name="its second half", write=lambda value: value[len(value) // 2 :], only=_LONG),
    Way(name="in chunks", write=lambda value: f"20\r\n{value[:32]}\r\n20\r\n{value[32:]}\r\n0\r\n", only=_LONG),
    Way(name="folded", write=lambda value: f"{value[:20]}\n  {value[20:40]}\n  {value[40:]}", only=_LONG),
    *(
        Way(name=f"{name} hex", write=_hashed(name, bytes.hex), only=("e-mail", "serial", "device id", "id"))
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "sha3_256")
    ),
    *(
        Way(name=f"{name} base64", write=_hashed(name, _b64), only=("e-mail", "serial", "id"))
        for name in ("md5", "sha1", "sha256", "sha512")
    ),
    Way(name="as a record holds text", write=lambda value: _b64(_word_reversed(value)), only=("serial", "transmitter id")),
)


def _word_reversed(value: str) -> bytes:
    raw = value.encode() + b"\0" * (-len(value) % 4)
    return b"\x12\x81\xff\xff" + b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4)) + b"\xff\xff"


def written() -> Iterator[tuple[str, Way, str]]:
    """Every kind of value in every way that fits it: (kind, way, text)."""
    for way in WAYS:
        for kind, value in SECRETS.items():
            if way.fits(kind):
                yield kind, way, way.write(value)


# --- places to hide a text

HOST = "https://source.tandemdiabetes.com"
TDC = "https://tdcservices.tandemdiabetes.com/accounts/api"
SSO = "https://sso.tandemdiabetes.com"
ID = "0f2e9d41-77aa-4c1b-9e35-6d2b8c40f1e7"
PUMPER = f"{HOST}/api/reports/bff/pumper/{ID}"
LOGS = f"{HOST}/api/reports/bff/pump-logs/{ID}"
EVENTS = f"{HOST}/api/reports/reportsfacade/pumpevents/{ID}/123456"
JSON, HTML, FORM = "application/json", "text/html", "application/x-www-form-urlencoded"


def exchange(
    url: str = PUMPER,
    method: str = "GET",
    *,
    sent: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    status: int = 200,
    got: tuple[tuple[str, str], ...] = (),
    media: str = JSON,
    answer: bytes = b"{}",
) -> Exchange:
    """An exchange that is clean but for what is planted."""
    return Exchange(
        request=Request(method=method, url=url, headers=Headers(sent), body=body),
        response=Response(status=status, reason="OK", headers=Headers((("Content-Type", media), *got)), body=answer),
    )


def _line(text: str) -> str:
    """A text as a header line may hold it."""
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8").decode("latin-1")


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _event(**members: object) -> bytes:
    event = {"deviceAssignmentId": ID, "eventCode": 28, "sequenceGroup": 0, "sequenceNumber": 5, "pumpDateTime": "2026-11-18T10:00:00"}
    return _as_json({"events": [{**event, "eventProperties": {"alarmId": 3}, **members}], "clockChanges": []})


def _signed(**claims: object) -> bytes:
    return _as_json({"id_token": _jwt_of({"alg": "RS256"}, {"iss": TDC, **claims})})


def _jwt_of(header: dict[str, object], claims: dict[str, object], signature: bytes = b"\1\2\3") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _spares(text: str) -> dict[str, int]:
    payload = (text.encode() + bytes(16))[:16]
    return {f"spare{'ABCD'[at // 4]}{at}": one for at, one in enumerate(payload)}


def _record(text: str, code: int) -> bytes:
    rows = Records.build(code=code, seconds=[596_000_000], sequence=[7]).rows.copy()
    rows[0, 10:] = list((text.encode() + bytes(16))[:16])
    return Records(rows=rows).to_body()


def _multipart(text: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="a"; filename="{text}"\r\n\r\n{text}\r\n--b--\r\n'.encode()


Carrier = Callable[[str], Exchange]
CARRIERS: dict[str, Carrier] = {
    "an unknown member": lambda text: exchange(answer=_as_json({"note": text})),
    "a name": lambda text: exchange(answer=_as_json({"firstName": text, "lastName": text, "name": text})),
    "a kept member": lambda text: exchange(answer=_as_json({"pumps": [{"modelName": text, "partNumber": text, "softwareVersion": text}]})),
    "an identifier": lambda text: exchange(answer=_as_json({"pumps": [{"serialNumber": text, "assignmentId": text}]})),
    "a day": lambda text: exchange(answer=_as_json({"dateOfBirth": text, "pumps": [{"maxDateOfEvents": text}]})),
    "behind a day": lambda text: exchange(answer=_as_json({"pumps": [{"maxDateOfEvents": f"2026-11-18T10:00:00.{text}"}]})),
    "a hash": lambda text: exchange(answer=_as_json({"pumps": [{"settings": {"settingsHash": text}}]})),
    "a number": lambda text: exchange(answer=_as_json({"lowGlucoseThreshold": text})),
    "a member's name": lambda text: exchange(answer=_as_json({text: 1, "pumps": [{text: {text: text}}]})),
    "a list where a text is": lambda text: exchange(answer=_as_json({"firstName": [text, {text: text}]})),
    "a bare text": lambda text: exchange(answer=_as_json(text)),
    "an error": lambda text: exchange(status=400, answer=_as_json({"message": text, "detail": text, "traceId": text, "note": text})),
    "an event's member": lambda text: exchange(LOGS, answer=_event(note=text)),
    "an event's property": lambda text: exchange(LOGS, answer=_event(eventProperties={"alarmId": text, text: text})),
    "an event's time": lambda text: exchange(LOGS, answer=_event(pumpDateTime=text, estimatedDateTime=f"2026-11-18 {text}")),
    "an event's device": lambda text: exchange(LOGS, answer=_event(deviceAssignmentId=text, sequenceGroup=text, sequenceNumber=text)),
    "spare bytes": lambda text: exchange(LOGS, answer=_event(eventCode=57, eventProperties=_spares(text))),
    "a record of letters": lambda text: exchange(EVENTS, answer=_record(text, 57)),
    "a record of an unknown code": lambda text: exchange(EVENTS, answer=_record(text, 4000)),
    "a stream of no records": lambda text: exchange(EVENTS, answer=_as_json(_b64(text.encode()))),
    "a page": lambda text: exchange(f"{SSO}/", media=HTML, answer=f'<input name="t" value="{text}"><td>{text}</td>'.encode()),
    "a page's script": lambda text: exchange(PUMPER, media=HTML, status=403, answer=f"<script>x={json.dumps(text)}</script>".encode()),
    "plain text": lambda text: exchange(media="text/plain", answer=text.encode()),
    "no content type": lambda text: exchange(media="", answer=text.encode()),
    "XML": lambda text: exchange(media="application/xml", answer=f"<a>{html.escape(text)}</a>".encode()),
    "multipart": lambda text: exchange(media="multipart/form-data; boundary=b", answer=_multipart(text)),
    "multipart sent": lambda text: exchange(
        f"{TDC}/login", "POST", sent=(("Content-Type", "multipart/form-data; boundary=b"),), body=_multipart(text)
    ),
    "a picture": lambda text: exchange(media="image/jpeg", answer=b"\xff\xd8\xff\xe1Exif\0\0" + text.encode()),
    "an archive": lambda text: exchange(media="application/zip", answer=_zip(text.encode())),
    "a download": lambda text: exchange(
        media="application/octet-stream", got=(("Content-Disposition", f"attachment; filename={_line(text)}"),), answer=text.encode()
    ),
    "an unknown coding": lambda text: exchange(got=(("Content-Encoding", "zstd"),), answer=_zstd(_as_json({"a": text}))),
    "gzip twice": lambda text: exchange(
        got=(("Content-Encoding", "gzip, gzip"),), answer=gzip.compress(gzip.compress(_as_json({"a": text})))
    ),
    "a gzip file's name": lambda text: exchange(
        got=(("Content-Encoding", "gzip"),), answer=b"\x1f\x8b\x08\x08" + bytes(6) + text.encode() + b"\0" + gzip.compress(b"{}")[10:]
    ),
    "bytes behind gzip": lambda text: exchange(got=(("Content-Encoding", "gzip"),), answer=gzip.compress(b"{}") + text.encode()),
    "JSON with a member twice": lambda text: exchange(answer=f'{{"name": "", "name": {json.dumps(text)}}}'.encode()),
    "JSON with bytes behind": lambda text: exchange(answer=b"{} " + text.encode()),
    "JSON of broken letters": lambda text: exchange(answer=b'{"name": "\xff' + text.encode() + b'"}'),
    "another charset": lambda text: exchange(media="application/json; charset=utf-16", answer=json.dumps({"a": text}).encode("utf-16")),
    "a content type": lambda text: exchange(media=f"application/json; note={_line(text)}"),
    "an unknown header": lambda text: exchange(got=(("X-Me", _line(text)),), sent=(("X-Me", _line(text)),)),
    "a known header": lambda text: exchange(
        got=tuple((name, _line(text)) for name in ("ETag", "Cache-Control", "Retry-After", "Vary", "Server", "Last-Modified", "Date"))
    ),
    "a header's name": lambda text: exchange(got=((f"X-{quote(text, safe='').replace('%', '')}", "1"),)),
    "a cookie set": lambda text: exchange(got=(("Set-Cookie", f"idsrv={quote(text, safe='')}; path=/; secure"),)),
    "a cookie's attribute": lambda text: exchange(got=(("Set-Cookie", f"idsrv=1; path=/{quote(text)}; comment={quote(text)}; max-age=9"),)),
    "a cookie sent": lambda text: exchange(sent=(("Cookie", f"idsrv={quote(text, safe='')}; {quote(text, safe='')}=1"),)),
    "a bearer token": lambda text: exchange(sent=(("Authorization", f"Bearer {_line(text)}"),)),
    "a basic login": lambda text: exchange(sent=(("Authorization", f"Basic {_b64(text.encode())}"),)),
    "a client's header": lambda text: exchange(
        sent=tuple((name, _line(text)) for name in ("User-Agent", "Referer", "Origin", "If-None-Match", "Accept", "Accept-Language"))
    ),
    "a challenge": lambda text: exchange(
        status=401, got=(("WWW-Authenticate", f'Bearer error="invalid_token", error_description="{_line(text)}"'),)
    ),
    "a redirect": lambda text: exchange(
        f"{TDC}/connect/authorize",
        media=HTML,
        status=302,
        got=(("Location", f"{SSO}/?hint={quote(text)}&ReturnUrl=%2F{quote(text)}"),),
    ),
    "a redirect elsewhere": lambda text: exchange(
        f"{SSO}/", media=HTML, status=302, got=(("Location", f"https://{quote(text, safe='')}.example.org/{quote(text)}#{quote(text)}"),)
    ),
    "a path": lambda text: exchange(f"{HOST}/api/reports/bff/pumper/{quote(text, safe='')}"),
    "an unknown path": lambda text: exchange(f"{HOST}/app;s={quote(text, safe='')}/home"),
    "a query": lambda text: exchange(f"{TDC}/connect/authorize?state={quote_plus(text)}&nonce={quote_plus(text)}&prompt={text}"),
    "an unknown key": lambda text: exchange(f"{LOGS}?login={quote_plus(text)}&{quote_plus(text)}=1&startDate={quote_plus(text)}"),
    "a fragment": lambda text: exchange(f"{PUMPER}#{quote(text, safe='')}"),
    "a form": lambda text: exchange(
        f"{TDC}/connect/token",
        "POST",
        sent=(("Content-Type", FORM),),
        body=f"code={quote_plus(text)}&code_verifier={quote_plus(text)}&grant_type={quote_plus(text)}&{quote_plus(text)}=1".encode(),
    ),
    "a login": lambda text: exchange(
        f"{TDC}/login", "POST", sent=(("Content-Type", JSON),), body=_as_json({"username": text, "password": text, "newPassword": text})
    ),
    "a claim": lambda text: exchange(f"{TDC}/connect/token", "POST", answer=_signed(email=text, name=text, sub=text, sid=text, note=text)),
    "a token's head": lambda text: exchange(
        f"{TDC}/connect/token", "POST", answer=_as_json({"id_token": _jwt_of({"alg": "RS256", "kid": text}, {"iss": TDC}, text.encode())})
    ),
    "an encrypted token": lambda text: exchange(
        f"{TDC}/connect/token", "POST", answer=_as_json({"id_token": ".".join([_b64(text.encode())] * 5), "access_token": text})
    ),
    "tokens": lambda text: exchange(f"{TDC}/connect/token", "POST", answer=_as_json({"access_token": text, "refresh_token": text})),
    "a key set": lambda text: exchange(f"{TDC}/.well-known/openid-configuration/jwks", answer=_as_json({"keys": [{"x5c": [text]}]})),
    "a reason": lambda text: _with_reason(exchange(), _line(text)),
}
"""Where -> the exchange with a text hidden there. Not every text fits a real wire; a file may hold it all the same."""


def _with_reason(one: Exchange, reason: str) -> Exchange:
    return one.replacing(response=replace(one.response, reason=reason))


def traces(kind: str, text: str) -> set[bytes]:
    """What must not be in anything that was written or said: the planted text, and the plainest forms of the value itself.

    The sanitizer's own search is not asked: its mistakes must show here.
    """
    value = SECRETS[kind]
    raw = value.encode()
    plain = {raw, quote(value, safe="").encode(), json.dumps(value)[1:-1].encode(), raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")}
    planted = {
        text.encode("utf-8", "surrogatepass"),
        quote(text).encode(),
        json.dumps(text)[1:-1].encode(),
        text.encode().hex().encode(),
    }
    return {one.lower() for one in plain | planted if len(one) > 5}  # shorter ones stand in every cassette
