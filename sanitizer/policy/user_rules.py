"""User rules (`--policy FILE`): they add places to the policy and change nothing in it.

What the file can say is `$defs/own` of `policy.schema.json`. See docs/decisions/rules-of-your-own.md.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from sanitizer.policy.policy import Policy, compiled, expanded, shipped, table_of
from tfx.errors import UsageError

Table = dict[str, object]


def rules_of(file: Path | None) -> Policy | None:
    """The policy with the rules in a file added; None for none.

    Raises:
        UsageError: the file cannot be read, or has what a user rule may not have.
    """
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"cannot read the rules in {file} ({reason}); make them with: tfx sanitize --suggest RECORDING") from None
    return extended(text, str(file))


def extended(text: str, where: str = "your rules") -> Policy:
    """The policy that ships with tfx and the rules in a text; UsageError as for `rules_of`."""
    own = table_of(text, where, "own")
    whole: Table = tomllib.loads(shipped())
    _add(whole, own, where)
    # Not `text`: what the second look may meet anywhere is for us to say, or a comment with a name in it would let that name through.
    return compiled(whole, shipped(), where)


def _add(whole: Table, own: Table, where: str) -> None:
    endpoints = cast("dict[str, Table]", whole["endpoints"])
    for name, spec in cast("dict[str, Table]", own.get("endpoints", {})).items():
        if name not in endpoints:
            raise UsageError(f"{where} has rules for {name}, but there is no such endpoint; they are: {', '.join(endpoints)}")
        if "special" in endpoints[name] and "response" in spec:
            raise UsageError(f"{where} has rules for the answers of {name}, which tfx reads as events or keys, by no rules; leave them out")
        for part, rules in spec.items():
            endpoints[name][part] = _joined(endpoints[name].get(part, {}), rules, f"{where}: endpoints.{name}.{part}")
    for section in ("domains", "errors", "claims"):
        whole[section] = _joined(whole[section], own.get(section, {}), f"{where}: {section}")
    for section in ("headers", "cookies"):
        inner = cast("Table", whole[section])
        for part, rules in cast("Table", own.get(section, {})).items():
            inner[part] = _joined(inner[part], rules, f"{where}: {section}.{part}")


def _joined(base: object, own: object, where: str) -> Table:
    old, new = cast("Table", base), cast("Table", own)
    known = set(_places(old))
    taken = sorted(place for place in _places(new) if any(_touches(place, one) for one in known))
    if taken:
        raise UsageError(f"{where}.{taken[0]} has a rule already, and a rule of your own can change none; take that line out")
    both = {**old, **new}
    if "drop" in old and "drop" in new:
        both["drop"] = [*cast("list[str]", old["drop"]), *cast("list[str]", new["drop"])]
    return both


def _places(rules: Mapping[str, object]) -> Iterator[str]:
    for key, rule in rules.items():
        yield from (str(name) for name in rule) if isinstance(rule, list) else expanded(key)


def _touches(place: str, other: str) -> bool:
    """Whether one of them is the other, or inside it."""
    return place == other or place.startswith((f"{other}.", f"{other}[")) or other.startswith((f"{place}.", f"{place}["))
