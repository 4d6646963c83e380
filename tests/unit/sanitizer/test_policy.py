"""The policy file: readable, checked, and nothing kept without a domain."""

# one row of a table is one line, however wide

from importlib.resources import files

import pytest

from sanitizer.actions import ACTIONS
from sanitizer.policy import Domain, Rule, expanded, policy, read
from tandem.endpoints import BY_NAME
from tfx.errors import UsageError

TEXT = files("sanitizer").joinpath("policy.toml").read_text(encoding="utf-8")


def test_every_endpoint_has_a_table() -> None:
    assert policy().paths.keys() == BY_NAME.keys()


def test_every_place_in_a_path_has_a_rule() -> None:
    for name, endpoint in BY_NAME.items():
        named = {part.strip("{}") for part in endpoint.path.split("/") if part.startswith("{")}
        assert policy().paths[name].keys() == named


def test_every_domain_is_used_and_bounded() -> None:
    used = {rule.split(":")[1].strip('" ,}') for rule in TEXT.replace("words:", "keep:").split('"') if rule.startswith("keep:")}
    assert used <= policy().domains.keys()
    # `small` is what findings suggest for numbers.
    assert policy().domains.keys() - used == {"small"}
    for domain in policy().domains.values():
        assert domain.words or domain.pattern or domain.flag or domain.high > domain.low, f"{domain.name} keeps nothing or everything"


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 1\n[endpoints.login.request]\nusername = 'mask'", "there is no action mask"),
        ("version = 1\n[endpoints.login.request]\nusername = 'keep:anything'", "no domain anything: nothing is kept without a domain"),
        ("version = 1\n[claims]\nemail = 'keep:'", "no domain"),
        ("version =", "policy.toml is not TOML"),
    ],
)
def test_a_wrong_policy_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(text)


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


@pytest.mark.parametrize(("domain", "value", "_why"), ROOMY)
def test_a_domain_has_no_room_for_somebodys(domain: str, value: str, _why: str) -> None:
    assert not policy().domains[domain].holds(value)
