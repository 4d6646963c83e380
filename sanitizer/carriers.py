"""Headers and cookies: allow-listed names, each with its rule; everything else is removed. Pure."""

from collections.abc import Mapping

from sanitizer.epoch import cookie_age, cookie_expiry
from sanitizer.policy import Rule
from sanitizer.suggest import for_attribute, for_header
from sanitizer.urls import link
from sanitizer.visitors import Visitor
from tfx.exchange import Headers

_VALUE = Rule(word="cookie")
_NAME = Rule(word="cookie-name")
_REGISTERED = {"www-authenticate": "WWW-Authenticate"}
"""Names whose registered spelling is more than a capital in front of each word; no other line of theirs stands on a cassette."""


def headers(visitor: Visitor, found: Headers, way: str) -> Headers:
    """The lines that may stand, in their order; a length is left for whoever knows the body."""
    rules = visitor.run.policy.headers[way]
    out: list[tuple[str, str]] = []
    for name, value in found:
        rule = rules.get(name.lower())
        spelled = name if name in (name.lower(), name.title(), _REGISTERED.get(name.lower())) else name.title()
        place = f"{way} header.{spelled if rule else visitor.name(name)}"
        if rule is None:
            visitor.note(
                place, "a header without a rule" + ("; removed" if visitor.changes else ""), rule=for_header(way, visitor.pasted(name))
            )
        elif rule.word == "drop":
            if visitor.changes:
                visitor.count("header dropped", place)
            else:
                visitor.note(place, "a header that no cassette has")
        else:
            if spelled != name and not visitor.changes:
                visitor.note(place, "a header's name in a spelling of its own")
            out.append((spelled, _value(visitor, rule, value, place)))
    return Headers(out)


def _value(visitor: Visitor, rule: Rule, value: str, place: str) -> str:
    if rule.word == "length":
        return value
    if rule.word == "url":
        return link(visitor, value, place)
    if rule.word == "cookies":
        return _looked_at(visitor, value, "; ".join(_pair(visitor, pair, place) for pair in value.split(";") if pair.strip()), place)
    if rule.word == "set-cookie":
        return _looked_at(visitor, value, _set_cookie(visitor, value, place), place)
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
    out = [_pair(visitor, pair, place)]
    for attribute in attributes:
        name, equals, value = attribute.strip().partition("=")
        changed = _attribute(visitor, rules, name, value, place)
        if changed is not None:
            out.append(f"{name}{equals}{changed}")
    return "; ".join(out)


def _attribute(visitor: Visitor, rules: Mapping[str, Rule], name: str, value: str, place: str) -> str | None:
    rule = rules.get(name.lower())
    if rule is None:
        if name:
            visitor.note(f"{place} attribute", "a cookie attribute without a rule", rule=for_attribute(visitor.pasted(name).lower()))
        return None
    if rule.word == "cookie-expiry":
        return cookie_expiry(value, visitor.run.clock)
    if rule.word == "cookie-age":
        return cookie_age(value)
    return str(visitor.leaf(rule, value, f"{place} {name.lower()}"))
