"""Suggest rules for places without one, from the kind of value, never the value or its length. Pure, apart from `save`.

A rule is one line with dotted keys, so that lines can be collected in a user's file (`sanitizer.policy.user_rules`) in any order.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from sanitizer.audit.findings import Finding
from sanitizer.policy.known_names import known_to
from sanitizer.policy.policy import Policy
from tandem.regions import HOSTS
from tfx.errors import UsageError
from tfx.jsonbody import Json

HEAD: Final = """\
# Rules of your own, for: tfx sanitize --policy THIS_FILE, tfx record --policy THIS_FILE, and the hook that checks.
# Read each line, and each name in it. One that tfx does not know is marked: it may be a person's own, and then the line is not for sharing.
# The word behind the place says what happens there; behind the # is the shape that was met. Every rule may be replaced by a
# stricter one (blank), a stand-in (uuid, serial, email, given, family, profile, session, trace) or keep:DOMAIN with a domain of
# your own: domains.colour = { words = ["Black", "White"] }. docs/decisions/rules-of-your-own.md says what a rule can and cannot do."""

MARK: Final = "; a name tfx does not know"
"""What stands behind the shape where a rule has a name that may be somebody's."""

_EMPTY: Final = "empty"
_BLANKED: Final = "blanked already: make this rule from the source"
_BLANKS: Final = ("", 0, False)
_SEVERAL: Final = "of several shapes"
_INDEX = re.compile(r"\[\d+\]")
_NAME = re.compile(r"[A-Za-z_]+\Z")
_LOWER_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*\Z")
_RULE = re.compile(r'(?P<place>.+) = "(?P<rule>[^"]*)"  # (?P<shape>.+)\Z')

_TEXTS: Final = (
    (re.compile(r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?\Z"), "uuid", "like a UUID"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\Z"), "date", "like a date"),
    (re.compile(r"[0-9]{1,18}\Z"), "serial", "digits"),
    (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z"), "email", "like an e-mail address"),
    (re.compile(rf"https://(?:{'|'.join(map(re.escape, HOSTS))})(?:[/?]|\Z)"), "url", "a URL of Tandem Source"),
)
"""Pattern of a text, the rule for it, and its shape in words; the first that fits."""


def shape(value: Json, policy: Policy) -> tuple[str, str]:
    """The rule for a leaf of that shape, and the shape in words."""
    if isinstance(value, bool):
        return "keep:flag", "yes or no"
    if isinstance(value, int | float):
        return ("keep:small", "a small number") if policy.domains["small"].holds(value) else ("blank", "a number")
    if isinstance(value, str):
        return next(((rule, says) for pattern, rule, says in _TEXTS if pattern.match(value)), ("blank", "text"))
    return "blank", _EMPTY


def for_body(section: str, place: str, value: Json, policy: Policy, shown: Callable[[str], str], *, is_cassette: bool = False) -> str:
    """Lines for a member without a rule and everything below it; none where a name cannot be shown or no table of rules is read there.

    `place` is the finding's; `shown` gives a name as it may be shown. On a cassette a zero may be a blank: nothing is guessed from it.
    """
    claim = place.partition(".claims.")[2]
    path = _INDEX.sub("[]", claim or place.partition("body")[2].removeprefix("."))
    table = "claims" if claim else section
    if "<" in path or any(table == f"endpoints.{name}.response" for name in policy.special):
        return ""
    found = (
        _line(f'{table}."{leaf}"', *(("blank", _BLANKED) if is_cassette and item in _BLANKS else shape(item, policy)))
        for leaf, item in _leaves(path, value, shown)
        if leaf
    )
    return "\n".join(dict.fromkeys(found))


def _leaves(path: str, value: Json, shown: Callable[[str], str]) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict | list) and not value:
        yield path, None
    elif isinstance(value, dict):
        for key, item in value.items():
            if _NAME.match(key) and shown(key) == key:
                yield from _leaves(f"{path}.{key}".removeprefix("."), item, shown)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(f"{path}[]", item, shown)
    elif value is not None:
        yield path, value


def for_key(endpoint: str, part: str, name: str, value: str, policy: Policy) -> str:
    """A line for a key of a query or form."""
    return _line(f'endpoints.{endpoint}.{part}."{name}"', *shape(value, policy)) if endpoint and _NAME.match(name) else ""


def for_header(way: str, name: str) -> str:
    """A line for a header line: that it goes, as it does without a rule, but without a word."""
    return _line(f"headers.{way}.{name.lower()}", "drop", "a header") if _LOWER_NAME.match(name.lower()) else ""


def for_attribute(name: str) -> str:
    """A line for an attribute of a cookie: it stays, its value does not."""
    return _line(f"cookies.attributes.{name}", "literal:", "a cookie's attribute") if _LOWER_NAME.match(name) else ""


def _line(place: str, rule: str, says: str) -> str:
    return f'{place} = "{rule}"  # {says}'


def is_public(rule: str, known: AbstractSet[str]) -> bool:
    """Whether everybody knows every name in a line of a suggestion (`names.known_to`): such a line tells of nobody."""
    place = rule.partition(" = ")[0]
    quoted = place.partition('"')[2].rstrip('"') or place.rpartition(".")[2]
    return all(name in known or name.lower() in known for name in quoted.replace("[]", "").split(".") if name)


def save(file: Path, text: str) -> None:
    """Write rules to a user's file, which only its owner may read.

    Raises:
        UsageError: it is there already, or cannot be written.
    """
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise UsageError(f"cannot write the rules to {file} ({error.strerror}); name another file with --suggest") from None


def suggested(findings: Iterable[Finding], policy: Policy) -> str:
    """A whole file of user rules that findings suggest; where shapes differ, blank. What no rule can solve is a comment.

    `policy` is the one in use: a name it does not know is marked.
    """
    rules: dict[str, tuple[str, str]] = {}
    others: dict[str, None] = {}
    for finding in findings:
        if not finding.rule:
            others[f"# {finding}"] = None
        for line in filter(None, finding.rule.splitlines()):
            found = _RULE.match(line)
            assert found, "a suggestion that is not written as one"
            rule, says = found["rule"], found["shape"]
            before = rules.get(found["place"], (rule, says))
            if _BLANKED in (before[1], says):  # a blank says nothing against what another one was
                rules[found["place"]] = before if says == _BLANKED else (rule, says)
            else:
                rules[found["place"]] = before if before[0] == rule else ("blank", _SEVERAL)
    known = known_to(policy)
    lines = [line + ("" if is_public(line, known) else MARK) for line in (_line(*row) for row in _rows(rules))]
    if not lines:
        lines = ["# Nothing to suggest: no place here lacks a rule that could be added."]
    if others:
        lines += [
            "",
            "# For these there is no rule to paste: an unshown name, a value outside its rule, or pump events (their fields are in",
        ]
        lines += ["# tandem/event_fields.csv). They stay blank or go.", *others]
    return "\n".join([HEAD, "", *lines]) + "\n"


def _rows(rules: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    return ((place, *told) for place, told in sorted(_apart(rules).items()))


def _apart(rules: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """No rule inside the place of another: a container that was empty once needs none, and what was a leaf once is a blank now."""
    found = dict(rules)
    for place, (_, says) in rules.items():
        inner = place.removesuffix('"')
        below = [other for other in rules if other != place and other.startswith((f"{inner}.", f"{inner}["))]
        if below and says == _EMPTY:
            found.pop(place, None)
        elif below:
            found[place] = ("blank", _SEVERAL)
            for other in below:
                found.pop(other, None)
    return found
