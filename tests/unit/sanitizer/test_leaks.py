"""Every way to write a value, in every place of an exchange: the search knows it, and nothing of it comes out. All pairs: tests/proofs."""

import json
from itertools import cycle, islice

import pytest
from leakproof import ROUTES, Case, leaks
from leaks import CARRIERS, SECRETS, WAYS, seen, written

from sanitizer.policy import policy
from sanitizer.scan import _Search


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
    chosen = islice(cycle(every), 0, None, 7)
    cases = [
        Case(kind=kind, text=text, carrier=carrier, way=way.name)
        for carrier, (kind, way, text) in zip([*CARRIERS, *CARRIERS], chosen, strict=False)
    ]
    assert leaks(cases, route) == []


def test_every_way_and_every_place_has_a_name_of_its_own() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)
    assert all(way.fits(kind) for way in WAYS for kind in way.only)
    assert {kind for way in WAYS for kind in way.only} <= SECRETS.keys()
