"""The policy file: readable, checked, and nothing kept without a domain."""

# one row of a table is one line, however wide

import importlib
import json
import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sanitizer.policy.grammar import departure
from sanitizer.policy.policy import Domain, Rule, expanded, policy, read
from sanitizer.replacements.actions import ACTIONS
from tandem.endpoints import BY_NAME
from tfx.errors import UsageError

TEXT = files("sanitizer").joinpath("tandem-source.toml").read_text(encoding="utf-8")
SCHEMA = json.loads(files("sanitizer").joinpath("policy.schema.json").read_text(encoding="utf-8"))


def test_every_endpoint_has_a_table() -> None:
    assert policy().paths.keys() == BY_NAME.keys()


def test_every_place_in_a_path_has_a_rule() -> None:
    for name, endpoint in BY_NAME.items():
        named = {part.strip("{}") for part in endpoint.path.split("/") if part.startswith("{")}
        assert policy().paths[name].keys() == named


def test_every_domain_is_used_and_bounded() -> None:
    used = {
        rule.split(":")[1].strip('" ,}') for rule in re.sub("words:|listed:|problem:", "keep:", TEXT).split('"') if rule.startswith("keep:")
    }
    assert used <= policy().domains.keys()
    # `small` is what findings suggest for numbers.
    assert policy().domains.keys() - used == {"small", "country"}
    for domain in policy().domains.values():
        assert domain.words or domain.numbers or domain.pattern or domain.flag or domain.high > domain.low, (
            f"{domain.name} keeps nothing or everything"
        )


def test_no_pattern_keeps_any_text() -> None:
    for domain in policy().domains.values():
        assert not domain.holds("Marisol Quintanilla")
        assert not domain.holds("10871624")
        assert not domain.holds("7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904")
        assert not domain.holds("2026-11-18")


@pytest.mark.parametrize(
    ("key", "paths"),
    [("a", ["a"]), ("a.{b,c}.d", ["a.b.d", "a.c.d"]), ("{a, b}[].{c,d}", ["a[].c", "a[].d", "b[].c", "b[].d"])],
)
def test_braces_name_several_members(key: str, paths: list[str]) -> None:
    assert list(expanded(key)) == paths


WRONG = [
    ('username = "email"', 'username = "mask"', "there is no action mask"),
    ('username = "email"', 'username = "keep:anything"', "no domain anything: nothing is kept without a domain"),
    ('username = "email"', 'username = "keep"', "endpoints.login.request.username is not written as"),
    ('username = "email"', "username = 7", "endpoints.login.request.username is no string"),
    ('username = "email"', 'username = "email', "is not TOML"),
    ("[endpoints.login.request]", "[endpoints.login.reply]", "endpoints.login.reply has no place in a policy"),
    ('at = "POST tdc /accounts/api/login"', 'at = "POST tdc /login"', "differ about login"),
    ("[endpoints.login", "[endpoints.logon", "differ about login, logon"),
    ("seconds = { from_to = [0, 86400] }", "seconds = {}", "domains.seconds needs one of words, from_to, numbers, pattern, flag"),
    ("seconds = { from_to = [0, 86400] }", 'seconds = { pattern = ".{3}" }', "domains.seconds.pattern is not written as"),
    ("seconds = { from_to = [0, 86400] }", "seconds = { from_to = [0, 99999999] }", "is a number out of bounds"),
]


@pytest.mark.parametrize(("right", "wrong", "words"), WRONG)
def test_a_wrong_policy_is_refused(right: str, wrong: str, words: str) -> None:
    assert right in TEXT
    with pytest.raises(UsageError, match=words):
        read(TEXT.replace(right, wrong))


Parsed = Iterable[tuple[object, object]]


def room(parsed: Parsed) -> int:
    """How many characters of a text a pattern leaves free at most: digits and letters of its own choice."""
    total = 0
    for operator, argument in parsed:
        found: tuple[object, ...] = tuple(argument) if isinstance(argument, Iterable) else ()
        match str(operator), found:
            case "LITERAL", _:
                pass
            case "IN", choices:
                # Several literals are an enumeration of one letter; a range or \d is free.
                total += any(str(one[0]) in {"RANGE", "CATEGORY"} for one in choices if isinstance(one, tuple))
            case "MAX_REPEAT", (_, int(most), inside):
                assert most < 20, "an open repetition"
                total += most * room(cast("Parsed", inside))
            case "SUBPATTERN", (*_, inside):
                total += room(cast("Parsed", inside))
            case "BRANCH", (_, list(branches)):
                total += max(room(cast("Parsed", branch)) for branch in branches)
            case _:
                raise AssertionError(operator)
    return total


FREE = {"coding": 7}
"""Digits, of which each stands behind a `q=` of its own; every other pattern leaves five at most, and a serial number has eight."""


def test_no_pattern_and_no_number_has_room_for_an_identifier() -> None:
    parse = vars(importlib.import_module("re._parser"))["parse"]
    for domain in policy().domains.values():
        if domain.pattern:
            assert room(parse(domain.pattern.pattern)) <= FREE.get(domain.name, 5), domain.name
        assert domain.low > -10_000_000 < domain.high < 10_000_000, domain.name
        assert not domain.holds(1.23456789), f"{domain.name} keeps a number of any length"
    for name in tomllib.loads(TEXT)["cookies"]["names"]:
        assert room(parse(name)) <= 1


@given(st.data())
def test_the_reader_of_the_grammar_and_the_library_agree(data: st.DataObject) -> None:
    # Both read the policy with one place of it broken: taken out, or another value in it.
    table = tomllib.loads(TEXT)
    inner: dict[str, object] = table
    while True:
        name = data.draw(st.sampled_from(sorted(inner)))
        value = inner[name]
        if not isinstance(value, dict) or not value or data.draw(st.booleans()):
            break
        inner = value
    values: tuple[object, ...] = (
        None,
        1,
        -5,
        2_000_000,
        True,
        "",
        "keep",
        "keep:flag",
        "a.*",
        [],
        [""],
        [1, 2],
        ["a", 3],
        {},
        {"words": []},
    )
    value = data.draw(st.sampled_from(values))
    if value is None:
        del inner[name]
    else:
        inner[data.draw(st.sampled_from([name, "new", "New one"]))] = value
    assert (not departure(table)) is Draft202012Validator(SCHEMA).is_valid(table)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("domain", "value", "holds", "_why"),
    [
        (Domain(name="n", low=0, high=5, whole=True), 5, True, "at the edge"),
        (Domain(name="n", low=0, high=5, whole=True), 6, False, "beyond"),
        (Domain(name="n", low=0, high=5, whole=True), 1.0, False, "no whole number"),
        (Domain(name="n", low=0, high=5), 1.5, True, "a number"),
        (Domain(name="n", low=0, high=5), True, False, "a flag is no number"),
        (Domain(name="n", low=0, high=5), "3", False, "a text is no number"),
        (Domain(name="f", flag=True), True, True, "a flag"),
        (Domain(name="f", flag=True), 1, False, "a number is no flag"),
        (Domain(name="w", words=frozenset({"a"})), "a", True, "a word"),
        (Domain(name="w", words=frozenset({"a"})), "a\n", False, "a word and more"),
        (Domain(name="w", words=frozenset({"a"})), None, False, "nothing"),
    ],
)
def test_a_domain(domain: Domain, value: object, holds: bool, _why: str) -> None:
    assert domain.holds(value) is holds


def test_a_rule_reads_as_it_is_written() -> None:
    assert str(Rule.parse("keep:flag")) == "keep:flag"
    assert str(Rule.parse("uuid")) == "uuid"


def test_every_action_is_used() -> None:
    used = {rule.word for rules in (policy().claims, policy().errors, *policy().bodies.values()) for rule in rules.leaves()}
    tables = (
        *policy().paths.values(),
        *policy().queries.values(),
        *policy().forms.values(),
        *policy().headers.values(),
        policy().cookie_attributes,
    )
    used |= {rule.word for table in tables for rule in table.values()}
    assert ACTIONS.keys() - used == {"cookie", "cookie-name", "subject"}, "used by the carriers themselves, and by `id`"


ROOMY = [
    ("version", "90.55.66.43", "a serial in four groups"),
    ("version", "19.570.304", "a date of birth"),
    ("cache", "max-age=90556643", "a serial as an age"),
    ("media", "application/marisol", "a name as a media type"),
    ("media", "*/*;q=0.9, jane/doe", "a name in a list"),
]


def test_what_browsers_ask_for_pages_is_known() -> None:
    chrome = "image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
    for rest in (chrome, "image/avif,image/webp,image/png,image/svg+xml,*/*;q=0.8", "*/*;q=0.8"):
        assert policy().domains["media"].holds(f"text/html,application/xhtml+xml,application/xml;q=0.9,{rest}")
    assert {policy().headers[way]["priority"].word for way in ("request", "response")} == {"drop"}


@pytest.mark.parametrize(("domain", "value", "_why"), ROOMY)
def test_a_domain_has_no_room_for_somebodys(domain: str, value: str, _why: str) -> None:
    assert not policy().domains[domain].holds(value)
