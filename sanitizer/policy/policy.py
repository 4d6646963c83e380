"""Read, check and compile the policy, `tandem-source.toml`.

A rule is a word with an optional argument: `uuid`, `keep:flag`, `literal:tfx-password`. `replacements/actions.py` says what each does.
Nothing may be kept without a domain; a domain is an enumeration, a bounded number, a flag or a pattern.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import copysign
from types import MappingProxyType
from typing import Final, cast

from sanitizer.policy.grammar import departure
from tandem.endpoints import BY_NAME
from tfx.errors import UsageError

Table = Mapping[str, object]
Range = tuple[float, float]

DOMAINED: Final = frozenset({"keep", "words", "listed", "problem"})
"""Words of rules whose argument is a domain."""

DIGITS = 2
"""Digits behind the point that a number may have where fractions are kept at all: a float of seventeen digits holds a telephone number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What happens to one place: the action's word and its argument."""

    word: str
    argument: str = ""

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """`keep:flag` -> Rule(word="keep", argument="flag")."""
        word, _, argument = text.partition(":")
        return cls(word=word, argument=argument)

    def __str__(self) -> str:
        return f"{self.word}:{self.argument}" if self.argument else self.word


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many items an array may have, and how they may stand: an array of any length and order could spell anything."""

    most: int
    each_once: bool = False
    rising: str | None = None

    def trouble(self, items: Sequence[object]) -> str:
        """What is wrong with a list; empty where nothing is."""
        if len(items) > self.most:
            return f"a list of more than {self.most}"
        # Texts of enumerations and numbers; what is neither meets its own rule.
        if self.each_once and len({repr(item) for item in items}) != len(items):
            return "a list that says something twice"
        if self.rising is not None:
            numbers = [number for number in (self._number(item) for item in items) if number is not None]
            if any(after <= before for before, after in pairwise(numbers)):
                return "a list that is not in order"
        return ""

    def _number(self, item: object) -> float | None:
        number = item
        if self.rising and isinstance(item, dict):
            if not any(item.values()):
                return None  # padding
            number = item.get(self.rising)
        return number if isinstance(number, int | float) else None


@dataclass(slots=True, kw_only=True)
class Node:
    """One level of a JSON body: a leaf's rule, an object's members, an array's items. All None: nothing may be here."""

    rule: Rule | None = None
    members: dict[str, "Node"] | None = None
    items: "Node | None" = None
    limit: Limit | None = None

    def leaves(self) -> Iterator[Rule]:
        """Every rule below."""
        if self.rule:
            yield self.rule
        for node in (self.members or {}).values():
            yield from node.leaves()
        if self.items:
            yield from self.items.leaves()


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What `keep` lets through."""

    name: str
    words: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    numbers: frozenset[int] = frozenset()
    low: float = 0
    high: float = -1
    whole: bool = False
    flag: bool = False

    def holds(self, value: object) -> bool:
        """Whether a leaf is in the domain. Digits in a text are not a number, a flag is not a number."""
        if isinstance(value, str):
            return value in self.words or (self.pattern is not None and self.pattern.fullmatch(value) is not None)
        if isinstance(value, bool):
            return self.flag
        if type(value) is int and value in self.numbers:
            return True
        if isinstance(value, int | float):
            return self.low <= value <= self.high and not (isinstance(value, float) and (self.whole or not _is_short(value)))
        return False


def _is_short(value: float) -> bool:
    """Whether a number has no more digits than may be kept, and zero no sign."""
    return value == round(value, DIGITS) and not (value == 0 and copysign(1, value) < 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Policy:
    """Every rule there is. Equal only to itself, so that what follows from it can be looked up by it.

    `bodies`: (endpoint, "request" or "response") -> JSON rules; `forms`, `queries`, `paths`: endpoint -> key -> rule; `errors`: the
    JSON of any answer from status 400 on; `special`: endpoint -> how its JSON answer is read (`events`, `records`, `jwks`); `pages`:
    the literal pages; `links`: "host kind:path" of places that are linked to but never asked -> the endpoint whose query rules count;
    `marks`: mark of a pump event's field -> what happens to it; `bounds`: name or unit of such a field -> the ranges it may lie in;
    `vocabulary`: every word of the file, in lower case.
    """

    service: str
    version: int
    domains: Mapping[str, Domain]
    paths: Mapping[str, Mapping[str, Rule]]
    queries: Mapping[str, Mapping[str, Rule]]
    forms: Mapping[str, Mapping[str, Rule]]
    bodies: Mapping[tuple[str, str], Node]
    special: Mapping[str, str]
    endpoint_pages: Mapping[str, str]
    errors: Node
    claims: Node
    headers: Mapping[str, Mapping[str, Rule]]
    cookie_names: re.Pattern[str]
    cookie_attributes: Mapping[str, Rule]
    pages: Mapping[str, str]
    links: Mapping[str, str]
    marks: Mapping[str, str]
    bounds: Mapping[str, tuple[Range, ...]]
    vocabulary: str = field(repr=False)


FILE = "tandem-source.toml"


@cache
def policy() -> Policy:
    """The policy that ships with tfx."""
    return read(shipped())


@cache
def shipped() -> str:
    """Its text."""
    return files("sanitizer").joinpath(FILE).read_text(encoding="utf-8")


def read(text: str) -> Policy:
    """A policy from its text.

    Raises:
        UsageError: it is not TOML, departs from `policy.schema.json`, or a rule names an action, domain or endpoint that does not exist.
    """
    return compiled(table_of(text, FILE), text)


def table_of(text: str, where: str, definition: str = "") -> dict[str, object]:
    """The table in a policy file, or in one of the user's own (`definition="own"`), as far as its grammar says; UsageError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not TOML: {error}; correct that line") from error
    wrong = departure(table, definition)
    if wrong:
        raise UsageError(f"{where} does not keep to its grammar, sanitizer/policy.schema.json: {wrong}; correct it")
    return table


def compiled(table: Table, vocabulary: str, where: str = FILE) -> Policy:
    """A policy from its table; `vocabulary` is the text whose words the second look may meet anywhere.

    Raises:
        UsageError: a rule names an action, domain or endpoint that does not exist.
    """
    domains = {name: _domain(name, cast("Table", spec)) for name, spec in _table(table, "domains").items()}
    endpoints = {name: cast("Table", spec) for name, spec in _table(table, "endpoints").items()}
    limits = {name: _limit(cast("Table", spec)) for key, spec in _table(table, "lists").items() for name in expanded(key)}
    found = Policy(
        service=str(table["service"]),
        version=int(cast("int", table["version"])),
        domains=MappingProxyType(domains),
        paths=_per_endpoint(endpoints, "path"),
        queries=_per_endpoint(endpoints, "query"),
        forms=_per_endpoint(endpoints, "form"),
        bodies=MappingProxyType(
            {
                (name, way): _tree(_table(spec, way), limits, where)
                for name, spec in endpoints.items()
                for way in ("request", "response")
                if way in spec
            }
        ),
        special=MappingProxyType({name: str(spec["special"]) for name, spec in endpoints.items() if "special" in spec}),
        endpoint_pages=MappingProxyType({name: str(spec["page"]) for name, spec in endpoints.items() if "page" in spec}),
        errors=_tree(_table(table, "errors"), limits, where),
        claims=_tree(_table(table, "claims"), limits, where),
        headers=MappingProxyType({way: _headers(_table(_table(table, "headers"), way)) for way in ("request", "response")}),
        cookie_names=re.compile("|".join(cast("list[str]", _table(table, "cookies")["names"]))),
        cookie_attributes=_rules(_table(_table(table, "cookies"), "attributes")),
        pages=MappingProxyType({name: str(page) for name, page in _table(table, "pages").items()}),
        links=MappingProxyType({place: str(name) for place, name in _table(table, "links").items()}),
        marks=MappingProxyType({mark: str(word) for mark, word in _table(table, "marks").items()}),
        bounds=MappingProxyType(
            {name: _ranges(cast("list[float]", numbers)) for key, numbers in _table(table, "bounds").items() for name in expanded(key)}
        ),
        vocabulary=vocabulary.casefold(),
    )
    _check(found, where)
    _check_places(endpoints, where)
    return found


def _check_places(endpoints: Mapping[str, Table], where: str) -> None:
    """Each endpoint of the file is one that `tandem.endpoints` finds, and the other way round."""
    told = {name: str(spec.get("at")) for name, spec in endpoints.items()}
    known = {name: f"{one.method} {one.host} {one.path}" for name, one in BY_NAME.items()}
    others = sorted(name for name in told.keys() | known.keys() if told.get(name) != known.get(name))
    if others:
        raise UsageError(f"{where} and tandem/endpoints.py differ about {', '.join(others)}; an endpoint stands in both, in the same place")


def _check(found: Policy, where: str) -> None:
    from sanitizer.replacements.actions import ACTIONS

    trees = (*found.bodies.values(), found.errors, found.claims)
    tables = (*found.paths.values(), *found.queries.values(), *found.forms.values(), *found.headers.values(), found.cookie_attributes)
    for rule in (*(rule for tree in trees for rule in tree.leaves()), *(rule for rules in tables for rule in rules.values())):
        if rule.word not in ACTIONS:
            raise UsageError(f"{where} has a rule {rule}, but there is no action {rule.word}; known are {', '.join(sorted(ACTIONS))}")
        if rule.word in DOMAINED and rule.argument not in found.domains:
            raise UsageError(f"{where} has a rule {rule}, but no domain {rule.argument}: nothing is kept without a domain; add it")


def _table(table: Table, name: str) -> Table:
    return cast("Table", table.get(name, {}))


def _rules(table: Table) -> Mapping[str, Rule]:
    return MappingProxyType({name: Rule.parse(str(text)) for key, text in table.items() for name in expanded(key)})


def _headers(table: Table) -> Mapping[str, Rule]:
    named = {key: Rule.parse(str(text)) for key, text in table.items() if key != "drop"}
    dropped = {str(name): Rule(word="drop") for name in cast("list[str]", table.get("drop", []))}
    return MappingProxyType({name.lower(): rule for name, rule in (named | dropped).items()})


def _per_endpoint(endpoints: Mapping[str, Table], part: str) -> Mapping[str, Mapping[str, Rule]]:
    return MappingProxyType({name: _rules(_table(spec, part)) for name, spec in endpoints.items()})


def _domain(name: str, spec: Table) -> Domain:
    numbers = cast("list[float]", spec.get("from_to", [0, -1]))
    pattern = spec.get("pattern")
    return Domain(
        name=name,
        words=frozenset(cast("list[str]", spec.get("words", []))),
        pattern=re.compile(str(pattern)) if pattern else None,
        numbers=frozenset(cast("list[int]", spec.get("numbers", []))),
        low=numbers[0],
        high=numbers[1],
        whole=all(isinstance(number, int) for number in numbers),
        flag=bool(spec.get("flag")),
    )


def _ranges(numbers: list[float]) -> tuple[Range, ...]:
    if len(numbers) % 2:
        raise UsageError("a policy's [bounds] names a range of three numbers; give two for a range, four for two")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


_OWN: Final = Limit(most=16)
"""The maximum length of an array in user rules, which cannot state one."""


def _limit(spec: Table) -> Limit:
    rising = spec.get("rising")
    return Limit(most=int(cast("int", spec["most"])), each_once=bool(spec.get("each-once")), rising=None if rising is None else str(rising))


def _tree(table: Table, limits: Mapping[str, Limit], where: str) -> Node:
    root = Node()
    for key, text in table.items():
        for path in expanded(key):
            _plant(root, path, Rule.parse(str(text)))
    for name, node in _arrays(root, "[]"):
        node.limit = limits.get(name, _OWN)
        if name not in limits and where == FILE:
            raise UsageError(f"{where} has a rule for items of {name}, but [lists] does not say how many there may be; add it")
    return root


def _arrays(node: Node, name: str) -> Iterator[tuple[str, Node]]:
    if node.items:
        yield name, node
        yield from _arrays(node.items, "[]")
    for key, inner in (node.members or {}).items():
        yield from _arrays(inner, key)


def _plant(node: Node, path: str, rule: Rule) -> None:
    """`pumps[].serialNumber` -> members["pumps"].items.members["serialNumber"]; a bare `[]` in front is an array at the top."""
    for part in path.split("."):
        name = part.rstrip("[]")
        if name:
            if node.members is None:
                node.members = {}
            node = node.members.setdefault(name, Node())
        for _ in range(part.count("[]")):
            if node.items is None:
                node.items = Node()
            node = node.items
    node.rule = rule


def expanded(key: str) -> Iterator[str]:
    """`a.{b,c}.d` -> `a.b.d`, `a.c.d`."""
    head, brace, rest = key.partition("{")
    if not brace:
        yield key
        return
    inside, _, tail = rest.partition("}")
    for choice in inside.split(","):
        yield from expanded(head + choice.strip() + tail)
