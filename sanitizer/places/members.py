"""Walk a JSON body beside its rules: every value meets its rule, and one without a rule is blanked and reported. Pure."""

import re
from typing import Final

from sanitizer.places.urls import link
from sanitizer.places.visitors import Visitor
from sanitizer.policy.policy import Node
from sanitizer.policy.suggest import for_body
from sanitizer.replacements.actions import ACTIONS
from sanitizer.replacements.leaves import is_blank
from sanitizer.replacements.tokens import token
from tfx.jsonbody import Json

_UNKNOWN = re.compile(r"unknown[1-9]\d*\Z")

MOST_UNKNOWN: Final = 16
"""Members of one object that nobody knows and that stay: each says of what type it was, and two hundred of them could say anything."""


def walk(visitor: Visitor, node: Node, value: Json, place: str) -> Json:
    """The value as it may stand on a cassette; `place` is where it is, for findings."""
    if value is None:
        return None
    if node.rule is not None:
        return _leaf(visitor, node, value, place)
    if isinstance(value, dict) and node.members is not None:
        return _members(visitor, node.members, value, place)
    if isinstance(value, list) and node.items is not None:
        return _items(visitor, node, node.items, value, place)
    if is_blank(value):
        return value
    return visitor.unknown(value, place, "a leaf without a rule", rule=_suggestion(visitor, value, place))


def _items(visitor: Visitor, node: Node, items: Node, value: list[Json], place: str) -> Json:
    trouble = node.limit.trouble(value) if node.limit else ""
    if trouble:
        visitor.run.unkept.value(value)
        visitor.note(place, trouble + ("; blanked" if visitor.changes else ""))
        if visitor.changes:
            return []
    done = [walk(visitor, items, item, f"{place}[{index}]") for index, item in enumerate(value)]
    # An item that was blanked may stand twice now, or out of order; that it went has been said.
    if visitor.changes and node.limit and node.limit.trouble(done):
        return []
    return done


def _leaf(visitor: Visitor, node: Node, value: Json, place: str) -> Json:
    assert node.rule is not None
    if isinstance(value, dict | list) and node.rule.word != "blank":
        # A leaf's rule says nothing of what is inside a container; only a blank is the same for all.
        return value if is_blank(value) else visitor.unknown(value, place, "a container where a leaf is expected")
    if node.rule.word == "url":
        return link(visitor, value, place)
    if node.rule.word == "jwt":
        claims = visitor.run.policy.claims
        return token(visitor, value, place, lambda found: walk(visitor, claims, found, f"{place}.claims"))
    return visitor.leaf(node.rule, value, place)


def _members(visitor: Visitor, rules: dict[str, Node], value: dict[str, Json], place: str) -> dict[str, Json]:
    done: dict[str, Json] = {}
    late = [key for key in value if key in rules and _is_late(rules[key])]
    for key, item in value.items():
        if key in rules and key not in late:
            done[key] = walk(visitor, rules[key], item, f"{place}.{key}")
    for key in late:
        done[key] = walk(visitor, rules[key], value[key], f"{place}.{key}")
    out: dict[str, Json] = {}
    unknown = 0
    for key, item in value.items():
        if key in done:
            out[key] = done[key]
            continue
        unknown += 1
        out |= stranger(visitor, key, item, f"{place}.", unknown)
    return out


def _is_late(node: Node) -> bool:
    return node.rule is not None and ACTIONS[node.rule.word].late


def stranger(visitor: Visitor, key: str, item: Json, place: str, number: int) -> dict[str, Json]:
    """A member nobody knows: its name may itself be personal, so it becomes `unknown1` and says nothing; of many the first stay."""
    if number > MOST_UNKNOWN:
        visitor.run.unkept.value({key: item})
        visitor.note(place + visitor.name(key), "more members without a rule than stay" + ("; removed" if visitor.changes else ""))
        return {} if visitor.changes else {key: item}
    if is_blank(item) and (_UNKNOWN.match(key) if visitor.changes else key == f"unknown{number}"):
        return {f"unknown{number}": item}
    visitor.run.unkept.numbers(key)
    value = visitor.unknown(
        item, place + visitor.name(key), "a member without a rule", rule=_suggestion(visitor, item, place + visitor.pasted(key))
    )
    return {f"unknown{number}" if visitor.changes else key: value}


def _suggestion(visitor: Visitor, value: Json, place: str) -> str:
    return for_body(visitor.run.section, place, value, visitor.run.policy, visitor.pasted, is_cassette=not visitor.changes)
