"""A person may be named like a word of the format: that is no leak, and it hides none."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import pytest

from sanitizer.scrub import Scrubbed, scrub
from sanitizer.search.residue import pieces
from sanitizer.search.scan import search
from tfx.capture import Capture, Seen
from tfx.codec import decoded, encoded
from tfx.errors import LeakError
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.jsonbody import Json, write
from tfx.signing import sign
from tfx.store import dumps

Done = Callable[..., Scrubbed]
Build = Callable[..., Capture]

WORDS = [
    ("Sequence", "part of a member's name"),
    ("Estimated", "part of a member's name"),
    ("eventProperties", "a member's name"),
    ("clockChanges", "a member's name"),
    ("example", "part of a stand-in's address"),
    ("example.invalid", "a stand-in's host"),
    ("Given", "part of a stand-in"),
    ("Profile 1", "a stand-in without its space"),
    ("tfx-cookie", "part of a stand-in"),
    ("Accounts", "part of a path"),
    ("Callback", "a path"),
    ("Tandemdiabetes", "a host"),
    ("OpenID", "a scope"),
    ("Max-Age", "a directive of a cache"),
    ("Bearer", "a scheme"),
    ("Secure", "an attribute of a cookie"),
    ("given_name", "a claim"),
    ("slim X2", "part of a pump's model"),
    ("Tandem Mobi System", "a pump's model"),
    ("1002717", "the number of a model, which a serial number may be"),
    ("1013120", "the number of a part, in an event"),
    ("Control-IQ", "an algorithm"),
    ("exercise", "part of an event's property"),
    ("RS256", "how a token is signed"),
    ("1719705600", "when every token was issued"),
    ("Wind0ws", "nothing at all"),
]
EVERY = [Seen(kind=f"name {number}", value=word) for number, (word, _) in enumerate(WORDS)]


@pytest.mark.parametrize("era", ["2026-10", "2025"])
def test_a_word_of_the_format_says_nothing(scrubbed: Done, era: str) -> None:
    assert search(scrubbed(era).cassette, seen=EVERY) == ()


def test_a_time_of_day_is_nobodys_serial_number(scrubbed: Done) -> None:
    cassette = scrubbed().cassette
    milliseconds = {digits.decode() for digits in re.findall(rb'"time(?:Prior|After)":(\d{8})', dumps(cassette))}
    assert milliseconds
    assert search(cassette, seen=[Seen(kind="serial", value=digits) for digits in milliseconds]) == ()


URL = "https://source.tandemdiabetes.com/api/reports/bff/pumper/00000000-0000-4000-8000-000000000001"
HIDING: list[tuple[str, Callable[[str], bytes]]] = [
    ("in a name", lambda word: json.dumps({"firstName": f"{word} Jones"}).encode()),
    ("in a member's name", lambda word: json.dumps({f"{word} Jones": 1}).encode()),
    ("among events", lambda word: json.dumps({"events": [{"eventProperties": {"note": f"x {word}"}}]}).encode()),
    ("encoded", lambda word: json.dumps({"name": base64.b64encode(f"I am {word} of that house.".encode()).decode()}).encode()),
    ("in a link", lambda word: json.dumps({"redirectUrl": f"/login?ReturnUrl=%2Fx%3Fq%3D%20{word}%20"}).encode()),
    ("in a token of ours", lambda word: json.dumps({"id_token": sign({"name": f"Mx {word}"})}).encode()),
    ("on a page", lambda word: f"<p>{word} was here</p>".encode()),
    ("in a bare text", lambda word: json.dumps(f"of {word}").encode()),
]


def one(body: bytes = b"{}", *, url: str = URL, got: tuple[tuple[str, str], ...] = (), media: str = "application/json") -> Exchange:
    request = Request(method="GET", url=url)
    return Exchange(request=request, response=Response(status=200, headers=Headers([("Content-Type", media), *got]), body=body))


def test_and_hides_no_leak(scrubbed: Done) -> None:
    clean = replace(scrubbed().cassette, exchanges=scrubbed().cassette.exchanges[:2])
    for (why, body), seen in product(HIDING, EVERY):
        text = body(seen.value)
        leaking = replace(clean, exchanges=(*clean.exchanges, one(text, media="text/html" if text[:1] == b"<" else "application/json")))
        found = search(leaking, seen=[seen])
        assert {finding.exchange for finding in found} == {len(leaking.exchanges)}, (seen.value, why)


def test_nor_in_what_is_no_body(scrubbed: Done) -> None:
    clean = scrubbed().cassette
    for seen in EVERY:
        word = seen.value.replace(" ", "%20")
        hiding = {
            "a path": one(url=URL.replace("00000000-0000-4000-8000-000000000001", f"x-{word}-x")),
            "a place nobody knows": one(url=f"https://source.tandemdiabetes.com/api/{word}-y"),
            "a query": one(url=f"{URL}?culture=q-{word}-q"),
            "a key": one(url=f"{URL}?q-{word}-q=1"),
            "a fragment": one(url=f"{URL}#q-{word}-q"),
            "another host": one(url=f"https://q-{word}-q.org/"),
            "a header": one(got=(("Retry-After", f"q {seen.value} q"),)),
            "a header's name": one(got=((f"X-{seen.value} Jones", "1"),)),
            "a cookie": one(got=(("Set-Cookie", f"culture=q {seen.value} q; Path=/"),)),
            "a cookie's name": one(got=(("Set-Cookie", f"q {seen.value} q=1; Path=/"),)),
            "a cookie's path": one(got=(("Set-Cookie", f"culture=1; Path=/q {seen.value} q"),)),
        }
        for why, leaking in hiding.items():
            assert search(replace(clean, exchanges=(leaking,)), seen=[seen]), (seen.value, why)


CANARY = 300_001
"""Six digits, the fewest that identify somebody."""


def canaries(value: Json, counted: Iterator[int]) -> Json:
    """Every text and number of a value another one, as no rule would leave it."""
    if isinstance(value, dict):
        return {key: canaries(item, counted) for key, item in value.items()}
    if isinstance(value, list):
        return [canaries(item, counted) for item in value]
    if isinstance(value, str):
        return f"canary-{next(counted)}."
    return CANARY + next(counted) if isinstance(value, int) and not isinstance(value, bool) else value


def test_nothing_is_left_out_but_what_is_named(scrubbed: Done) -> None:
    clean = scrubbed().cassette
    counted = iter(range(100_000))
    exchanges = []
    for before in clean.exchanges:
        text = decoded(before.response.headers, before.response.body)
        if text[:1] in (b"{", b"["):
            body = encoded(before.response.headers, write(canaries(json.loads(text), counted)))
            exchanges.append(before.replacing(response=replace(before.response, body=body)))
    left = b'"'.join(piece.text for piece in pieces(replace(clean, exchanges=tuple(exchanges))))
    placed = next(counted)
    assert placed > 500
    assert [number for number in range(placed) if b"canary-%d." % number not in left and b"%d" % (CANARY + number) not in left] == []


def test_a_leak_is_placed_in_what_was_recorded_and_on_the_cassette(capture: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizer.policy.policy.Domain.holds", lambda *_: True)
    body = json.dumps({"pumps": [{"modelName": "Control-IQ", "algorithm": "Quetzalcoatl"}]}).encode()
    leaking = capture(URL, answer=body, seen=("Quetzalcoatl", "Control-IQ"))
    elsewhere = one(url="https://source.tandemdiabetes.com/nowhere")
    whole = replace(leaking, exchanges=(elsewhere, *leaking.exchanges))
    for numbers, first in (((), 2), ((4, 9), 9)):
        with pytest.raises(LeakError) as caught:
            scrub(replace(whole, numbers=numbers), name="x")
        assert f": #{first} response body.pumps[0].algorithm (#1 of the cassette): canary, plain. " in str(caught.value)
