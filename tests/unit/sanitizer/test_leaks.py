"""Every way to write a value, in every place of an exchange: the search knows it, and nothing of it comes out. All pairs: tests/proofs."""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle, islice
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from leakproof import ROUTES, Case, leaks, through
from leaks import CARRIERS, LOGS, OTHERS, SECRETS, WAYS, Way, exchange, seen, written

from sanitizer.policy.policy import policy
from sanitizer.search.scan import _Search
from tfx.exchange import Exchange
from tfx.store import dumps

pytestmark = pytest.mark.slow  # each example is a whole session


def test_the_search_knows_every_way_to_write_a_value() -> None:
    searches = {kind: _Search(seen(kind), policy()) for kind in SECRETS}
    unknown = [
        (kind, way.name)
        for kind, way, text in written()
        if way.found and not searches[kind].hits(json.dumps({"a": text}, ensure_ascii=False).encode())
    ]
    assert unknown == []


def test_the_search_finds_nothing_of_another() -> None:
    searches = {kind: _Search(seen(kind), policy()) for kind in SECRETS}
    alike = {("serial", "device id"), ("name", "e-mail")}
    for (kind, way, text), other in zip(written(), cycle(SECRETS), strict=False):
        if kind != other and (kind, other) not in alike and (other, kind) not in alike and way.name != "zstd":
            assert searches[other].hits(json.dumps({"a": text}).encode()) == (), (kind, way.name, other)


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_hidden_comes_out(route: str) -> None:
    every = list(written())
    # Seven is prime to both: each way meets other places, each place other ways.
    chosen = islice(cycle(every), ROUTES.index(route), None, 7)
    cases = [
        Case(kind=kind, text=text, carrier=carrier, way=way.name) for carrier, (kind, way, text) in zip(CARRIERS, chosen, strict=False)
    ]
    assert leaks(cases, route) == []


OUTER = [
    *("JSON in JSON", "JSON escapes", "every letter escaped", "HTML", "HTML numbers", "percent", "percent, every byte", "base64"),
    *("base64url", "base32", "hex", "gzip", "zlib", "gzip twice", "zip", "a claim of a token", "XML", "CSV", "in a sentence"),
    "UTF-16, big",
]
BY_NAME = {way.name: way for way in WAYS}
PLANTED = st.lists(
    st.tuples(
        st.sampled_from([(kind, way.name) for kind, way, _ in written()]),
        st.lists(st.sampled_from(OUTER), max_size=4),
        st.sampled_from(sorted(CARRIERS)),
    ),
    min_size=1,
    max_size=8,
)
Planted = list[tuple[tuple[str, str], list[str], str]]


def hidden(planted: Planted, values: Mapping[str, str]) -> list[Case]:
    cases = []
    for (kind, way), outer, carrier in planted:
        text = BY_NAME[way].write(values[kind])
        for name in outer:
            text = BY_NAME[name].write(text)
        cases.append(Case(kind=kind, text=text, carrier=carrier, way=" in ".join((way, *outer))))
    return cases


@settings(max_examples=8)
@given(PLANTED, st.sampled_from(ROUTES))
def test_nothing_comes_out_however_deep_it_is_hidden(planted: Planted, route: str) -> None:
    assert leaks(hidden(planted, SECRETS), route) == []


@settings(max_examples=12)
@given(PLANTED)
def test_whose_it_is_never_shows(planted: Planted) -> None:
    """The same in the same places, of somebody else: the same bytes."""
    one, said = through([case.exchange for case in hidden(planted, SECRETS)], "recording")
    other, also = through([case.exchange for case in hidden(planted, OTHERS)], "recording", seen(values=OTHERS))
    assert (dumps(one.cassette) if one else b"") == (dumps(other.cassette) if other else b""), (said, also)


@given(
    st.sampled_from([kind for kind in SECRETS if kind != "transmitter id"]),
    st.lists(st.sampled_from(OUTER), max_size=3),
    st.sampled_from(WAYS),
)
def test_the_search_goes_as_deep(kind: str, outer: list[str], way: Way) -> None:
    # Letters of another width in two bytes each look like nothing at all: known, and left to the rules.
    assume(way.found and way.fits(kind) and not (way.name == "full-width" and "UTF-16, big" in outer))
    text = way.write(SECRETS[kind])
    for name in outer:
        text = BY_NAME[name].write(text)
    assert _Search(seen(kind), policy()).hits(json.dumps({"a": text}).encode()), text


def test_every_way_and_every_place_has_a_name_of_its_own() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)
    assert all(way.fits(kind) for way in WAYS for kind in way.only)
    assert {kind for way in WAYS for kind in way.only} <= SECRETS.keys()


PEOPLE = tuple(str(UUID(int=(0x3C1F7A529B0E4D688E215AD4C0F7B913 * number) % (1 << 128), version=4)) for number in (1, 3, 5, 7))
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda one: one.replace("-", "%2D"),
    lambda one: one.replace("-", ""),
)
ROWS = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(SPELLINGS)), min_size=2, max_size=9)


def ids_of(exchanges: Iterable[Exchange]) -> list[UUID]:
    """The pump's id in the path and the person's in the query, of each."""
    urls = [urlsplit(one.request.url) for one in exchanges]
    return [UUID(unquote(text)) for url in urls for text in (url.path.rpartition("/")[2], parse_qs(url.query)["pumperId"][0])]


@given(ROWS)
def test_equal_in_is_equal_out_wherever_and_however_written(rows: list[tuple[str, Callable[[str], str]]]) -> None:
    told = [written(one) for one, written in rows]
    sent = [exchange(f"{LOGS.rpartition('/')[0]}/{one}?pumperId={other}") for one, other in zip(told, reversed(told), strict=True)]
    done, said = through(sent, "recording", ())
    assert done, said
    before, after = ids_of(sent), ids_of(done.cassette.exchanges)
    assert [[one == other for other in before] for one in before] == [[one == other for other in after] for one in after]
