"""The second search finds a value in every form, without false alarms at words that are on every cassette."""

import base64
import binascii
import bz2
import gzip
import hashlib
import html
import io
import json
import lzma
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from urllib.parse import quote, quote_plus
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sanitizer.files.cassette_names import named_in
from sanitizer.scrub import scrub
from sanitizer.search import nesting
from sanitizer.search.nesting import layers
from sanitizer.search.scan import scan, search
from tfx.capture import Capture, Seen
from tfx.cassette import Cassette
from tfx.errors import LeakError
from tfx.exchange import Exchange, Headers, Request, Response

NAME, MAIL, PASSWORD = "María Quintanilla", "marisol.quintanilla+tandem@example.org", "P!nk&Mango 42%/rio"
Build = Callable[..., Capture]

WHOLE = "Margarethe Lindqvist"
GUID, SERIAL = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "90871624"


def word_reversed(value: str) -> bytes:
    raw = value.encode()
    return b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))


HIDDEN: list[tuple[str, bytes, str]] = [
    (PASSWORD, PASSWORD.encode(), "plain"),
    (PASSWORD, quote(PASSWORD, safe="").encode(), "percent"),
    (PASSWORD, quote_plus(PASSWORD).encode(), "a form's percent"),
    (PASSWORD, quote(quote(PASSWORD, safe=""), safe="").encode(), "percent twice"),
    (PASSWORD, html.escape(PASSWORD).encode(), "HTML"),
    (PASSWORD, PASSWORD.encode().hex().encode(), "hex"),
    (PASSWORD, PASSWORD.encode().hex().upper().encode(), "hex in capitals"),
    (PASSWORD, PASSWORD[::-1].encode(), "reversed"),
    (MAIL, MAIL.upper().encode(), "capitals"),
    (MAIL, b"login as marisol.quintanilla+tandem", "the part before the @"),
    (MAIL, b"marisolquintanillatandemexampleorg", "without punctuation"),
    (NAME, json.dumps(NAME).encode(), "JSON escapes"),
    (NAME, json.dumps(json.dumps(NAME)).encode(), "JSON in JSON"),
    (NAME, unicodedata.normalize("NFD", NAME).encode(), "decomposed"),
    (NAME, b"maria quintanilla", "without accents"),
    (NAME, NAME.upper().encode(), "capitals beyond ASCII"),
    (GUID, GUID.replace("-", "").encode(), "no dashes"),
    (GUID, b"QgyffR5bY06aVy-MHmq5BA", "base64 of the .NET byte order"),
    (GUID, base64.b64encode(UUID(GUID).bytes), "base64 of the bytes"),
    (GUID, UUID(GUID).bytes, "the bytes"),
    (SERIAL, SERIAL.encode(), "plain digits"),
    ("80412957", b"T0RBME1USTVOVGM9", "base64 of base64 that happens to hold no small letter"),
    (SERIAL, f'{{"sn":{SERIAL}}}'.encode(), "a number"),
    (SERIAL, int(SERIAL).to_bytes(4, "big"), "big-endian"),
    (SERIAL, int(SERIAL).to_bytes(4, "little"), "little-endian"),
    (SERIAL, binascii.hexlify(int(SERIAL).to_bytes(4, "big")), "big-endian in hex"),
    (SERIAL, b"9087-16-24T00:00:00", "in the day of a time"),
    (SERIAL, b"9087.1624.55", "with separators, and more behind it"),
    ("Jonathan", word_reversed("Jonathan"), "as pump records hold text"),
    ("Margarethe", word_reversed("Margarethe\a\t"), "as pump records hold text, with something else in its last word"),
    (WHOLE, b"Lindqvist Margarethe", "the last name first"),
    (WHOLE, base64.b32encode(b"xy" + WHOLE.encode() + b"z").lower(), "base32 in small letters, not from its beginning"),
    ("1987-03-14", b"542678400", "a day in seconds since 1970"),
    ("1987-03-14", b"14.3.1987", "a day without zeros"),
    ("90871624123", (90871624123).to_bytes(8, "big"), "big-endian, eight bytes"),
    ("90871624123", (90871624123).to_bytes(8, "little"), "little-endian, eight bytes"),
    (SERIAL, oct(int(SERIAL)).encode(), "octal"),
    (MAIL, b"quintanilla", "a word of the address"),
    (MAIL.title(), hashlib.md5(MAIL.encode(), usedforsecurity=False).hexdigest().encode(), "the hash of it in small letters"),
    ("1987-03-14", b"542678400000", "in milliseconds"),
    (PASSWORD, base64.b64encode(b"\0\1" + base64.b64encode(base64.b64encode(PASSWORD.encode())) + b"\2"), "base64 twice among bytes"),
    (PASSWORD, base64.b64encode(base64.b64encode(PASSWORD.encode()).decode().encode("utf-16-le")), "base64 in UTF-16"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text", "_why"), HIDDEN)
def test_a_value_is_found(value: str, text: bytes, _why: str) -> None:
    assert scan(b'{"a": "' + text + b'"}', [Seen(kind="secret", value=value)])


def test_a_value_is_found_inside_base64_at_any_offset() -> None:
    for (value, text, why), front in product(HIDDEN, (b"", b"a", b"ab")):
        inside = base64.b64encode(front + text + b" and more of it to be long enough")
        assert scan(b'{"a": "' + inside + b'"}', [Seen(kind="secret", value=value)]), (why, front)


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=12, max_size=40), st.binary(max_size=30), st.binary(max_size=30))
def test_whatever_the_value_its_base64_is_found(value: str, front: bytes, behind: bytes) -> None:
    text = base64.urlsafe_b64encode(front + value.encode() + behind)
    assert scan(text, [Seen(kind="secret", value=value)])


QUIET: list[tuple[str, bytes, str]] = [
    ("Ann", b'{"name": "Ann"}', "three letters say nothing"),
    ("1234", b'{"a": 1234}', "four digits stand in every recording"),
    ("378904", b'{"iob": 1.378904}', "digits of a longer number"),
    ("378904", b'{"iob": 0.3789041}', "digits of a longer number"),
    ("378904", b'{"iob": 1378904}', "digits of a longer number"),
    ("Anna", b"9xAnNa7", "letters of a base64 text"),
    ("Rosa", b'{"note": "prosaic"}', "letters of a longer word"),
    ("Anna", "ÖAnna, Annaö".encode(), "letters of a longer word, beyond ASCII"),
    ("1633837924", b'{"a": "abcd"}', "letters that are the bytes of a number"),
    ("exercise", b'{"exerciseChoice": 0, "a": "exercise"}', "a word of the pump's"),
    ("Profile1", b'{"name": "Profile1"}', "a stand-in"),
    ("Given1 Family1", b'{"name": "Given1 Family1"}', "a stand-in"),
    ("90000001", b'{"sn": "90000001"}', "a stand-in"),
    ("2024-07-03", b'{"d": "2024-07-03"}', "a date of the synthetic window"),
]


@pytest.mark.parametrize(("value", "text", "_why"), QUIET)
def test_what_means_nothing_is_not_searched(value: str, text: bytes, _why: str) -> None:
    assert scan(text, [Seen(kind="secret", value=value)]) == ()


def zipped(raw: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", raw)
    return out.getvalue()


PACKERS: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, zlib.compress, bz2.compress, lzma.compress, zipped)


def test_a_value_is_found_in_what_is_packed() -> None:
    """Among much else that packs well: a short text is stored as it stands, and would be found without being unpacked."""
    text = b"a" * 500 + PASSWORD.encode() + b"b" * 500
    for pack in PACKERS:
        packed = pack(text)
        assert PASSWORD.encode() not in packed
        assert scan(base64.b64encode(packed), [Seen(kind="secret", value=PASSWORD)]), pack


def test_what_cannot_be_opened_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = b"nothing at all of anybody"
    for _ in range(4):
        deep = base64.b64encode(deep)
    closed = [base64.b64encode(pack(b"a" * 2000)) for pack in (gzip.compress, zlib.compress, zipped)]
    seen = [Seen(kind="secret", value=PASSWORD)]
    assert not any(scan(text, seen) for text in (deep, *closed))
    zstandard = base64.b64encode(b"\x28\xb5\x2f\xfd" + bytes(40))
    monkeypatch.setattr(nesting, "LARGEST", 1000)
    for text in (*closed, zstandard):
        assert [one.kind for one in scan(text, seen)] == ["something packed that cannot be opened"], text[:20]
    monkeypatch.setattr(nesting, "DEEPEST", 3)
    assert [one.kind for one in scan(deep, seen)] == ["something packed that cannot be opened"]


def test_a_string_with_quotation_marks_stays_whole_though_the_strings_of_a_file_are_put_in_another_order() -> None:
    notes = {f"note {at}": f'seen "Mari {at}" there' for at in range(9)}
    whole = next(layers(json.dumps(notes).encode(), is_json=True)).texts
    assert all(f'seen \\"Mari {at}\\" there'.encode() in whole for at in range(9))


def test_a_short_name_is_found_as_a_word() -> None:
    found = scan(b'{"note": "Anna\'s pump"}', [Seen(kind="name", value="Anna")])
    assert [str(finding) for finding in found] == ["text: name, plain"]


def cassette(answer: bytes, name: str = "x") -> Cassette:
    exchange = Exchange(
        request=Request(method="GET", url="https://sso.tandemdiabetes.com/"),
        response=Response(status=200, headers=Headers([("Content-Type", "application/json")]), body=answer),
    )
    return Cassette(name=name, era="2026-10", region="us", clock=datetime(2024, 7, 3, tzinfo=UTC), policy=1, exchanges=(exchange,))


def test_a_leak_is_placed() -> None:
    found = search(cassette(b'{"a":"Quetzalcoatl"}'), seen=[Seen(kind="name", value="Quetzalcoatl")])
    assert [str(finding) for finding in found] == ["#1 response body.<another name>: name, plain"]


def test_a_packed_body_is_looked_into() -> None:
    packer = zlib.compressobj(wbits=-15)  # a stream without a mark, by which no search could know it
    packed = packer.compress(b'{"a":"Quetzalcoatl Quetzalcoatl"}') + packer.flush()
    whole = cassette(b"{}")
    exchange = whole.exchanges[0]
    headers = Headers([*exchange.response.headers, ("Content-Encoding", "deflate")])
    held = exchange.replacing(response=replace(exchange.response, headers=headers, body=packed))
    assert search(replace(whole, exchanges=(held,)), seen=[Seen(kind="name", value="Quetzalcoatl")])


def test_the_name_of_the_cassette_is_looked_at_too() -> None:
    assert search(cassette(b"{}", "quetzalcoatl-week"), seen=[Seen(kind="name", value="Quetzalcoatl")])


def test_a_leak_writes_nothing_and_names_no_value(capture: Callable[..., Capture], monkeypatch: pytest.MonkeyPatch) -> None:
    # A rule that lets something through: the second look must not depend on the first.
    monkeypatch.setattr("sanitizer.policy.policy.Domain.holds", lambda *_: True)
    answer = json.dumps({"pumps": [{"modelName": "Quetzalcoatl"}]}).encode()
    url = f"https://source.tandemdiabetes.com/api/reports/bff/pumper/{GUID}"
    with pytest.raises(LeakError, match=r"#1 response body.pumps\[0\].modelName: canary, plain") as caught:
        scrub(capture(url, answer=answer, seen=("Quetzalcoatl",)), name="x")
    assert "quetzalcoatl" not in str(caught.value).casefold()


ANY_LETTER = st.text(st.characters(codec=None), max_size=24)


@given(ANY_LETTER, ANY_LETTER)
@example("\ud800zbyszek", "\0")
def test_any_letters_at_all_can_be_looked_for(value: str, before: str) -> None:
    text = (before + value).encode("utf-8", "surrogatepass")
    scan(text, [Seen(kind="password", value=value)])
    named_in("week", [Seen(kind="given name", value=value)])


def test_half_a_letter_in_a_name_and_a_password_is_no_fault(capture: Build) -> None:
    url = f"https://source.tandemdiabetes.com/api/reports/bff/pumper/{GUID}"
    one = replace(capture(url, answer=b'{"firstName": "\\ud800zbyszek"}'), seen=(Seen(kind="password", value="\udfffqwerty\ud800"),))
    body = scrub(one, name="x").cassette.exchanges[0].response.body
    assert json.loads(body) == {"firstName": "Given1"}
