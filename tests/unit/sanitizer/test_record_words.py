"""Names and numbers below 2^24 in binary records: too short to be looked for in any bytes, but not in a payload."""

import struct
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from sanitizer.scrub import Scrubbed, scrub
from sanitizer.search.record_words import in_records
from tandem.records import Records
from tfx.capture import Capture, Seen
from tfx.cassette import Cassette
from tfx.errors import LeakError
from tfx.jsonbody import write

Build = Callable[..., Capture]
Done = Callable[..., Scrubbed]

ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
URL = f"https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/{ID}/280111"

PLANTED = [
    (">I", 1137482, 0, "1137482", True, "big endian, the first word"),
    ("<I", 1137482, 12, "1137482", True, "little endian, the last"),
    (">f", 1137482.0, 4, "1137482", True, "a float32"),
    ("<f", 11234432.0, 8, "11234432", True, "the other way round, eight digits"),
    (">I", 280111, 8, "280111", True, "a device id of six digits"),
    (">I", 28011, 8, "28011", False, "five digits are any amount"),
    (">I", 1137482, 2, "1137482", False, "halves of two words"),
    (">I", 1137483, 0, "1137482", False, "another number"),
    (">I", 1001374, 0, "1001374", False, "a part's number is anybody's"),
    (">I", 900001, 0, "900001", False, "a stand-in"),
]


def taped(done: Done, body: bytes) -> Cassette:
    """The cassette of an account with these records in place of its own."""
    cassette = done("2025").cassette
    exchanges = [
        one.replacing(response=replace(one.response, headers=one.response.headers.without("content-encoding"), body=body))
        if "pumpevents/" in one.request.url
        else one
        for one in cassette.exchanges
    ]
    return replace(cassette, exchanges=tuple(exchanges))


def records(layout: str, number: float, at: int) -> bytes:
    """An answer of three records, the second of which has that number in its payload."""
    rows = bytearray(3 * 26)
    rows[36 + at : 40 + at] = struct.pack(layout, number)
    return write(b64encode(rows).decode("ascii"))


def test_a_number_is_found_in_the_words_of_a_payload(scrubbed: Done) -> None:
    for layout, number, at, seen, is_found, why in PLANTED:
        cassette = taped(scrubbed, records(layout, number, at))
        found = in_records(cassette, [Seen(kind="serial number", value=seen), Seen(kind="name", value="Marisol")])
        assert bool(found) is is_found, why
        assert {(one.place, one.kind) for one in found} <= {("response body[]", "serial number, 32-bit number")}, why


MARG = "Margarethe Öberg-Lind"
LETTERS = [
    (b"Marg", 0, MARG, True, "as it is written"),
    (b"MARG", 12, MARG, True, "capitals, at the end of the payload"),
    (b"\x41marg\x41", 5, MARG, True, "between other letters, at any byte"),
    (b"graM", 4, MARG, True, "a word turned round, as pumps store text"),
    (b"aMgr", 4, MARG, True, "two numbers of 16 bits, little-endian"),
    ("Marg".encode("utf-16-be"), 8, MARG, True, "UTF-16, big-endian"),
    ("Marg".encode("utf-16-le"), 1, MARG, True, "UTF-16, little-endian"),
    ("MARG"[::-1].encode("utf-16-le"), 8, MARG, True, "UTF-16 backwards"),
    (b"lind", 3, MARG, True, "another word of the name"),
    (b"ober", 3, MARG, True, "without its accent"),
    ("ÖBER".encode("latin-1"), 3, MARG, True, "with it"),
    ("Öber".encode(), 3, MARG, True, "in UTF-8"),
    ("ÖBER".encode("utf-16-be"), 3, MARG, True, "in UTF-16"),
    (b"Marg", 3, "margarethe.lind@example.org", True, "of an address"),
    (b"exam", 3, "margarethe.lind@example.org", False, "its host is not whose it is"),
    (b"ord", 4, "Łordan", False, "what is left of a name in a coding that lacks a letter of it"),
    (b"Mar", 4, MARG, False, "three letters stand anywhere"),
    (b"arga", 4, MARG, False, "not the beginning"),
    (b"Ma\0rg", 4, MARG, False, "no coding of letters"),
    (b"Ma" + bytes(10) + b"rg", 14, MARG, False, "not across two records"),
    (b"Marg", 4, "Mar Lin", False, "words of three letters"),
    (b"give", 4, "Given1 Family1", False, "a stand-in"),
]


def test_a_name_is_found_in_a_payload(scrubbed: Done) -> None:
    for text, at, seen, is_found, why in LETTERS:
        rows = bytearray(3 * 26)
        rows[36 + at : 36 + at + len(text)] = text
        assert len(rows) == 3 * 26, why
        found = in_records(taped(scrubbed, write(b64encode(rows).decode("ascii"))), [Seen(kind="name", value=seen)])
        assert {one.kind for one in found} == ({"name, letters in a record"} if is_found else set()), why


def test_what_the_rules_let_through_is_not_written(capture: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = capture(URL, answer=records(">I", 1137482, 4), era="2025")
    seen = replace(raw, seen=(Seen(kind="serial number", value="1137482"),))
    scrub(seen, name="x")  # of an event without a layout the rules leave nothing
    monkeypatch.setattr("sanitizer.scrub.walked", lambda _visitor, exchanges: exchanges)
    with pytest.raises(LeakError, match=r"#1 response body..: serial number, 32-bit number"):
        scrub(seen, name="x")


def test_a_name_in_amounts_is_not_written(capture: Build) -> None:
    """Two amounts of a bolus (280) may be any number up to 25 and 50 units, which has room for four letters."""
    rows = Records.build(code=280, seconds=[596_000_000], sequence=[7]).rows.copy()
    rows[0, 20:24] = list(b"Marg")
    raw = capture(URL, answer=Records(rows=rows).to_body(), era="2025")
    scrub(replace(raw, seen=(Seen(kind="name", value="Ottilie"),)), name="x")
    with pytest.raises(LeakError, match=r"#1 response body..: name, letters in a record"):
        scrub(replace(raw, seen=(Seen(kind="name", value=MARG),)), name="x")
