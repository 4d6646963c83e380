"""Mutation of the policy: each rule is removed in turn, and something must be noticed; otherwise the rule is dead."""

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from typing import cast

import pytest
from rough import documented, rough, sessions, wild

from sanitizer.policy.policy import Policy, compiled, expanded, policy, shipped
from sanitizer.scrub import scrub
from tandem.eras import ERAS
from tandem.regions import REGIONS
from tfx.capture import Capture
from tfx.errors import TfxError
from tfx.store import dumps

pytestmark = pytest.mark.proofs

Row = tuple[str | int, ...]
Table = dict[str, object]
PARTS = 4
KEPT_FOR_OTHERS = {("domains", "small")}
"""Named by no rule of ours: it is the domain that a suggested rule for a number keeps to (tests/unit/sanitizer/test_suggest.py)."""


def table() -> Table:
    """The policy with a row for each place: `{a,b} = ...` is two."""
    found: Table = tomllib.loads(shipped())
    for spec in cast("dict[str, Table]", found["endpoints"]).values():
        for part in ("path", "query", "form", "request", "response"):
            if part in spec:
                spec[part] = one_by_one(spec[part])
    return found | {part: one_by_one(found[part]) for part in ("errors", "claims", "bounds", "lists")}


def one_by_one(rules: object) -> Table:
    return {place: rule for key, rule in cast("Table", rules).items() for place in expanded(key)}


def rows(inner: Table, above: Row = ()) -> Iterator[Row]:
    """The way to each row that is a rule; where an endpoint lies is a fact, and the head of the file is no rule."""
    for key, value in inner.items():
        if isinstance(value, dict) and above not in (("domains",), ("lists",)):
            yield from rows(value, (*above, key))
        elif isinstance(value, list) and key in ("drop", "names"):
            yield from ((*above, key, index) for index in range(len(value)))
        elif key != "at" and above:
            yield (*above, key)


def without(row: Row) -> Table:
    whole = table()
    inner: Table | list[str] = whole
    for key in row[:-1]:
        inner = cast("Table", inner)[str(key)]  # type: ignore[assignment]  # tables down to the last, which may be a list
    del inner[row[-1]]  # type: ignore[arg-type]  # an index into a list, a key into a table
    return whole


@cache
def battery() -> list[Capture]:
    roughly = [rough(era, region) for region in REGIONS for era in ERAS]
    return [*roughly, documented(), wild(), *sessions()]


def outcome(capture: Capture, rules: Policy) -> object:
    """The cassette and what was found; or that it was refused, or that the policy could not be followed at all."""
    try:
        done = scrub(capture, name="x", rules=rules)
    except (TfxError, KeyError) as error:  # KeyError: a page, mark or bound that is gone, which the grammar does not know by name
        return type(error)
    return dumps(done.cassette), done.findings


@cache
def expected(index: int) -> object:
    return outcome(battery()[index], policy())


def is_missed(rules: Callable[[], Policy], order: list[int]) -> bool:
    try:
        found = rules()
    except TfxError:
        return True  # refused at load
    for index in order:
        if outcome(battery()[index], found) != expected(index):
            # What this mutant broke the next one, its neighbour, most likely breaks too.
            order.remove(index)
            order.insert(0, index)
            return True
    return False


ROWS = sorted(set(rows(table())) - KEPT_FOR_OTHERS, key=str)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_rule_goes_without_being_missed(part: int) -> None:
    order = list(range(len(battery())))
    chosen = ROWS[len(ROWS) * part // PARTS : len(ROWS) * (part + 1) // PARTS]
    dead = [row for row in chosen if not is_missed(lambda row=row: compiled(without(row), shipped()), order)]  # type: ignore[misc]  # the default binds the row
    assert dead == []


def test_the_rows_are_all_there_and_the_battery_can_tell_nothing_from_nothing() -> None:
    assert len(ROWS) > 400
    assert not is_missed(lambda: compiled(table(), shipped()), list(range(len(battery()))))
