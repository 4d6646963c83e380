"""The catalogue of leaks that peers were measured on, where it lies beside the repository: each case in its carrier, none comes out.

The catalogue is not part of the repository; the cases of its categories that are made here are in tests/support/leaks.py.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from leakproof import ROUTES, through
from leaks import CARRIERS, exchange
from live import recorded, standing

from sanitizer.scrub import Scrubbed
from tfx.exchange import Exchange
from tfx.store import dumps

CATALOGUE = Path(os.environ.get("TFX_LEAK_CASES") or Path(__file__).parents[3] / "shared" / "data" / "leak_cases.jsonl")
_TEXTS = ("an unknown member", "a name", "a bare text", "an error", "an event's property", "a member's name")
_PLACES = {
    "response.body.json": _TEXTS,
    "response.body.binary": ("a stream of no records", "a download", "a picture", "an unknown member", "a bare text"),
    "response.body.text": ("a page", "plain text", "XML", "a page's script"),
    "response.header": ("an unknown header", "a known header", "a cookie set"),
    "request.header": ("an unknown header", "a header's name", "a client's header"),
    "request.url.path": ("a path", "an unknown path", "a redirect elsewhere"),
    "request.url.query": ("a query", "an unknown key", "a redirect"),
    "request.body.form": ("a form", "multipart sent"),
    "request.body.json": ("a login", *_TEXTS),
    "cassette metadata": _TEXTS,
    "cookie": ("a cookie sent", "a cookie set"),
    "jwt": ("tokens", "a claim", "a token's head", "an encrypted token"),
    "error message": ("an error", "a page", "a reason"),
    "redirect Location": ("a redirect", "a redirect elsewhere"),
    "filename": ("a download", "an unknown member"),
}
_SHORTEST = 6
_FORMAT = ("login.json", "tests/fixtures")
"""What a case shows that is no value of anybody's."""

Case = dict[str, str]


def cases() -> list[Case]:
    return [json.loads(line) for line in CATALOGUE.read_text(encoding="utf-8").splitlines() if line.strip()]


def raw(case: Case) -> Iterator[Exchange]:
    """The planted text as the answer or the address itself, where it is one."""
    planted = case["example_planted"]
    yield exchange(answer=planted.encode())
    yield exchange(media="text/html", answer=planted.encode())
    if planted.startswith("https://"):
        yield exchange(planted)


@pytest.mark.skipif(not CATALOGUE.is_file(), reason="the catalogue lies beside the repository on some machines only")
@pytest.mark.parametrize("route", ROUTES)
def test_no_case_of_the_catalogue_comes_out(route: str) -> None:
    assert told_of(lambda exchanges: through(exchanges, route)) == []


@pytest.mark.skipif(not CATALOGUE.is_file(), reason="the catalogue lies beside the repository on some machines only")
def test_no_case_of_the_catalogue_comes_out_of_a_live_recording() -> None:
    """A recording for each carrier, over HTTPS from the stand-in, by the recorder itself."""
    asked, unfit = 0, 0
    with standing() as (planted, loopback):

        def live(exchanges: Sequence[Exchange]) -> tuple[Scrubbed | None, str]:
            nonlocal asked, unfit
            capture, lost = recorded(exchanges, planted, loopback)
            asked, unfit = asked + len(exchanges), unfit + lost
            return through(capture.exchanges, "recording", capture.seen)

        assert told_of(live) == []
    assert asked > 500
    assert unfit < asked // 50, "nearly every case can stand on a wire"


def told_of(made: Callable[[Sequence[Exchange]], tuple[Scrubbed | None, str]]) -> list[str]:
    """The cases that something is told of, when the exchanges of a carrier are made a cassette of in this way."""
    assert {case["carrier"] for case in cases()} <= _PLACES.keys()
    told = []
    for carrier, places in _PLACES.items():
        of_carrier = [case for case in cases() if case["carrier"] == carrier]
        exchanges = [CARRIERS[place](case["example_planted"]) for case in of_carrier for place in places]
        done, said = made([*exchanges, *(one for case in of_carrier for one in raw(case))])
        text = ((dumps(done.cassette) if done else b"") + said.encode("utf-8", "surrogatepass")).lower()
        told += [
            case["id"]
            for case in of_carrier
            for secret in (case["example_plain"], case["example_planted"])
            if len(secret) >= _SHORTEST and secret not in _FORMAT and secret.lower().encode() in text
        ]
    return told
