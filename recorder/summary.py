"""What to tell a person about a cassette just written. Pure."""

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path

from sanitizer.findings import Finding
from tandem.endpoints import locate
from tfx.cassette import SYNTHETIC, Cassette
from tfx.codec import decoded
from tfx.exchange import Exchange
from tfx.jsonbody import Json, parse

RECORD_SIZE = 26


def lines(path: Path, cassette: Cassette, findings: Sequence[Finding], *, by_program: bool = False) -> tuple[str, ...]:
    """A few lines of text; `by_program`: somebody else's client decided what to fetch."""
    touched = sum(cassette.rules.values())
    first = (
        f"{path}: {len(cassette.exchanges)} exchanges, {events(cassette)} pump events ({cassette.region}, era {cassette.era}). "
        f"{len(cassette.rules)} rules touched {touched} places."
    )
    if cassette.values == SYNTHETIC:
        first += "\nThe amounts of glucose, insulin and carbohydrate are invented; which events there are, and when, is as recorded."
    if not events(cassette):
        first += f"\nThere is not one pump event on it: {_NONE[by_program]}"
    if not findings:
        return (first, "Every place has a rule. Look the file over, then commit it.")
    with_rule, without = [one for one in findings if one.rule], [one for one in findings if not one.rule]
    headings = (
        (
            with_rule,
            "places without a rule were blanked or removed; a line each, and the rule to add with --policy FILE:",
        ),
        (without, "places were blanked or removed, and no rule can be added for them:"),
    )
    told = (line for found, heading in headings if found for line in (f"{len(found)} {heading}", *_shown(found)))
    return (first, *told)


def _shown(findings: Sequence[Finding]) -> Iterable[str]:
    return dict.fromkeys(line for one in findings for line in (f"  {one}", *(f"    {rule}" for rule in one.rule.splitlines())))


_NONE = {
    False: "the pump's last upload is older than the days asked for, or they have only just begun on its clock. Ask for more with --days.",
    True: "the program asked for none, or for days without one.",
}


def report(path: Path, cassette: Cassette, findings: Sequence[Finding]) -> dict[str, Json]:
    """The same for a machine."""
    return {
        "cassette": str(path),
        "region": cassette.region,
        "era": cassette.era,
        "values": cassette.values,
        "exchanges": len(cassette.exchanges),
        "events": events(cassette),
        "rules": dict(cassette.rules),
        "blanked": [{"exchange": one.exchange, "place": one.place, "kind": one.kind} for one in findings],
    }


def events(cassette: Cassette) -> int:
    """How many pump events its answers hold; one that is in two answers counts twice."""
    return sum(_events(exchange) for exchange in cassette.exchanges)


def _events(exchange: Exchange) -> int:
    place = locate(exchange.request.method, exchange.request.url)
    if place is None or place.endpoint.name not in ("pump-logs", "pump-events") or exchange.response.status != 200:  # noqa: PLR2004
        return 0
    said = parse(decoded(exchange.response.headers, exchange.response.body))
    if isinstance(said, str):
        return len(base64.b64decode(said)) // RECORD_SIZE
    listed = said.get("events") if isinstance(said, dict) else None
    return len(listed) if isinstance(listed, list) else 0
