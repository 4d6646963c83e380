"""The text printed after a recording. Pure."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from sanitizer.audit.findings import Finding
from sanitizer.policy.suggest import is_public
from sanitizer.scrub import Scrubbed
from tandem.endpoints import locate
from tfx.cassette import SYNTHETIC, Cassette
from tfx.codec import decoded
from tfx.exchange import Exchange
from tfx.jsonbody import Json, parse
from tfx.plural import plural

RECORD_SIZE = 26


def lines(path: Path, done: Scrubbed, known: AbstractSet[str], *, by_program: bool = False, suggest: Path | None = None) -> tuple[str, ...]:
    """A few lines of text.

    `known` are the names that may be shown; `by_program`: somebody else's client decided what to fetch; `suggest` is the file of rules
    that was written.
    """
    cassette, findings = done.cassette, done.findings
    touched = sum(cassette.rules.values())
    first = (
        f"{path}: {plural(len(cassette.exchanges), 'exchange')}, {plural(events(cassette), 'pump event')} "
        f"({cassette.region}, era {cassette.era}). {plural(len(cassette.rules), 'rule')} touched {plural(touched, 'place')}."
    )
    if cassette.values == SYNTHETIC:
        first += "\nThe amounts of glucose, insulin and carbohydrate are invented; which events there are, and when, is as recorded."
    if not events(cassette):
        first += f"\nThere is not one pump event on it: {_NONE[by_program]}"
    if done.left_out:
        first += f"\nExchanges left out because they cannot be understood, named below: {done.left_out}."
    if not findings:
        return (first, "Every place has a rule. Look the file over, then commit it.")
    with_rule, without = [one for one in findings if one.rule], [one for one in findings if not one.rule]
    headings = (
        (with_rule, "without a rule, blanked or removed; a line each, and the rule to add with --policy FILE:"),
        (without, "blanked, removed or left out, for which no rule can be added:"),
    )
    told = (line for found, heading in headings if found for line in (f"{plural(len(found), 'place')} {heading}", *_shown(found, known)))
    return (first, *told, *_unshown(with_rule, known, suggest))


def _shown(findings: Sequence[Finding], known: AbstractSet[str]) -> Iterable[str]:
    rules = ((one, (rule for rule in one.rule.splitlines() if is_public(rule, known))) for one in findings)
    return dict.fromkeys(line for one, public in rules for line in (f"  {one}", *(f"    {rule}" for rule in public)))


def _unshown(findings: Iterable[Finding], known: AbstractSet[str], suggest: Path | None) -> Iterator[str]:
    """What becomes of rules with a name that may be somebody's: this text may be shown to others."""
    rules = {rule for one in findings for rule in one.rule.splitlines() if not is_public(rule, known)}
    if suggest:
        yield f"Rules for the places without one: {suggest}. Read each name in it before you share it."
    elif rules:
        yield f"Suggested rules not shown, because their names are unknown and may be personal: {len(rules)}. --suggest FILE writes them."


_NONE = {
    False: "the pump's last upload is older than the days asked for, or they have only just begun on its clock. Ask for more with --days.",
    True: "the program asked for none, or for days without one.",
}


def report(path: Path, done: Scrubbed) -> dict[str, Json]:
    """The same for a machine."""
    cassette = done.cassette
    return {
        "cassette": str(path),
        "region": cassette.region,
        "era": cassette.era,
        "values": cassette.values,
        "exchanges": len(cassette.exchanges),
        "events": events(cassette),
        "rules": dict(cassette.rules),
        "blanked": [{"exchange": one.exchange, "place": one.place, "kind": one.kind} for one in done.findings],
        "refused and left out": done.left_out,
    }


def events(cassette: Cassette) -> int:
    """How many pump events its answers hold; one that is in two answers counts twice."""
    return sum(_events(exchange) for exchange in cassette.exchanges)


def _events(exchange: Exchange) -> int:
    place = locate(exchange.request.method, exchange.request.url)
    if place is None or place.endpoint.name not in ("pump-logs", "pump-events") or exchange.response.status != 200:  # noqa: PLR2004  # HTTP's OK
        return 0
    said = parse(decoded(exchange.response.headers, exchange.response.body))
    if isinstance(said, str):
        return len(base64.b64decode(said)) // RECORD_SIZE
    listed = said.get("events") if isinstance(said, dict) else None
    return len(listed) if isinstance(listed, list) else 0
