"""What to tell a person about a cassette just written. Pure."""

import base64
from collections.abc import Sequence
from pathlib import Path

from sanitizer.findings import Finding
from tandem.endpoints import locate
from tfx.cassette import SYNTHETIC, Cassette
from tfx.codec import decoded
from tfx.exchange import Exchange
from tfx.jsonbody import Json, parse

RECORD_SIZE = 26


def lines(path: Path, cassette: Cassette, findings: Sequence[Finding]) -> tuple[str, ...]:
    """A few lines of text."""
    touched = sum(cassette.rules.values())
    first = (
        f"{path}: {len(cassette.exchanges)} exchanges, {events(cassette)} pump events ({cassette.region}, era {cassette.era}). "
        f"{len(cassette.rules)} rules touched {touched} places."
    )
    if cassette.values == SYNTHETIC:
        first += "\nThe amounts of glucose, insulin and carbohydrate are invented; which events there are, and when, is as recorded."
    if not events(cassette):
        first += (
            "\nThere is not one pump event on it: the pump's last upload is older than the days asked for, or they have only just begun "
            "on its clock. Ask for more with --days."
        )
    if not findings:
        return (first, "Every place has a rule. Look the file over, then commit it.")
    told = f"{len(findings)} places without a rule were blanked or removed; a line each, and the rule to add with --policy FILE:"
    shown = dict.fromkeys(line for finding in findings for line in (f"  {finding}", *(f"    {rule}" for rule in finding.rule.splitlines())))
    return (first, told, *shown)


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
        "blanked": [{"exchange": one.exchange, "place": one.place, "kind": one.kind, "rule": one.rule} for one in findings],
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
