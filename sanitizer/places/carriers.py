"""Headers and cookies: allow-listed names, each with its rule; everything else is removed. Pure."""

from collections.abc import Mapping
from http import HTTPStatus

from sanitizer.places.media_types import one_spelling
from sanitizer.places.urls import link
from sanitizer.places.visitors import Visitor
from sanitizer.policy.policy import Rule
from sanitizer.policy.suggest import for_attribute, for_header
from sanitizer.replacements.epoch import cookie_age, cookie_expiry
from tfx.exchange import Headers

_VALUE = Rule(word="cookie")
_NAME = Rule(word="cookie-name")
_SPELLED = {"httponly": "HttpOnly", "samesite": "SameSite"}
"""Attributes as the standard writes them, where that is more than a capital in front; a line has these or small letters."""
_ASKS_TO_WAIT = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_SEVERAL = ("cookies", "set-cookie", "listed")
"""Rules of headers that may stand on several lines; of a list no line twice."""
_REGISTERED = {"www-authenticate": "WWW-Authenticate"}
"""Names whose registered spelling is more than a capital in front of each word; no other line of theirs stands on a cassette."""


def headers(visitor: Visitor, found: Headers, way: str) -> Headers:
    """The lines that may stand, in their order; a length is left for whoever knows the body."""
    rules = visitor.run.policy.headers[way]
    out: list[Line] = []
    for name, value in found:
        rule = rules.get(name.lower())
        spelled = name if name in (name.lower(), name.title(), _REGISTERED.get(name.lower())) else name.title()
        place = f"{way} header.{spelled if rule else visitor.name(name)}"
        if rule is None:
            visitor.run.unkept.numbers(name)
            visitor.run.unkept.value(value)
            visitor.note(
                place, "a header without a rule" + ("; removed" if visitor.changes else ""), rule=for_header(way, visitor.pasted(name))
            )
        elif rule.word == "drop":
            if visitor.changes:
                visitor.run.unkept.numbers(value)
                visitor.count("header dropped", place)
            else:
                visitor.note(place, "a header that no cassette has")
        else:
            if spelled != name and not visitor.changes:
                visitor.note(place, "a header's name in a spelling of its own")
            line = _line(visitor, rule, (spelled, value), place, out)
            if line:
                out.append(line)
    return Headers(out)


Line = tuple[str, str]


def _line(visitor: Visitor, rule: Rule, line: Line, place: str, before: list[Line]) -> Line | None:
    """A line as it may stand behind those before it; None where it may not. But for cookies and lists a name stands once."""
    removed = "; removed" if visitor.changes else ""
    name, value = line
    if rule.word == "wait" and visitor.run.status not in _ASKS_TO_WAIT:
        visitor.run.unkept.value(value)
        visitor.note(place, f"a wait that only an answer of 429 or 503 asks for{removed}")
        return None
    # Before its value is looked at, which could be given a stand-in.
    is_there = rule.word not in _SEVERAL and any(name.lower() == other.lower() for other, _ in before)
    changed = value if is_there else _value(visitor, rule, value, place)
    if is_there or (rule.word == "listed" and any(changed == told and name.lower() == other.lower() for other, told in before)):
        visitor.run.unkept.value(value)
        visitor.note(place, f"a header that stands there twice{removed}")
        return None
    return name, changed


def _value(visitor: Visitor, rule: Rule, value: str, place: str) -> str:
    if rule.word == "length":
        return value
    if rule.word == "url":
        return link(visitor, value, place)
    if rule.word == "cookies":
        return _looked_at(visitor, value, "; ".join(_pair(visitor, pair, place) for pair in value.split(";") if pair.strip()), place)
    if rule.word == "set-cookie":
        return _looked_at(visitor, value, _set_cookie(visitor, value, place), place)
    if rule.argument == "content-type" and visitor.changes:
        value = one_spelling(value)
    return str(visitor.leaf(rule, value, place))


def _looked_at(visitor: Visitor, before: str, after: str, place: str) -> str:
    if visitor.changes:
        return after
    if before != after:
        visitor.note(place, "not written as the sanitizer writes it")
    return before


def _pair(visitor: Visitor, pair: str, place: str) -> str:
    name, equals, value = pair.strip().partition("=")
    if not visitor.run.policy.cookie_names.fullmatch(name):
        name = str(visitor.leaf(_NAME, name, f"{place} name"))
    return f"{name}{equals}{visitor.leaf(_VALUE, value, f'{place} value')}"


def _set_cookie(visitor: Visitor, line: str, place: str) -> str:
    pair, *attributes = line.split(";")
    rules = visitor.run.policy.cookie_attributes
    told = [(name.strip(), value) for name, _, value in (attribute.strip().partition("=") for attribute in attributes)]
    is_low = all(name == name.lower() for name, _ in told if name.lower() in rules)
    out: dict[str, str] = {}
    # Of an attribute that stands twice the last counts, as in a browser.
    for low, (name, value) in {name.lower(): (name, value) for name, value in told}.items():
        changed = _attribute(visitor, rules, name, value, place)
        if changed is not None:
            out[low] = f"{low if is_low else _SPELLED.get(low, low.title())}{'=' if changed else ''}{changed}"
    return "; ".join((_pair(visitor, pair, place), *out.values()))


def _attribute(visitor: Visitor, rules: Mapping[str, Rule], name: str, value: str, place: str) -> str | None:
    rule = rules.get(name.lower())
    if rule is None:
        if name:
            visitor.run.unkept.value([name, value])
            visitor.note(f"{place} attribute", "a cookie attribute without a rule", rule=for_attribute(visitor.pasted(name).lower()))
        return None
    if rule.word == "cookie-expiry":
        return cookie_expiry(value, visitor.run.clock)
    if rule.word == "cookie-age":
        return cookie_age(value)
    return str(visitor.leaf(rule, value, f"{place} {name.lower()}"))
