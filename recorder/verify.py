"""`tfx verify`: record the service again in memory and report what changed since a cassette was made. Writes nothing."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qsl, urlsplit

import click

from recorder.cli import check_stand_in, stand_in
from tfx.cassette_argument import CASSETTE

if TYPE_CHECKING:
    from recorder.order import Order
    from tfx.capture import Capture
    from tfx.cassette import Cassette

_DAYS = frozenset({"startDate", "endDate", "minDate", "maxDate"})


class _Reports(Protocol):
    """What prints the differences of `tfx diff`."""

    def __call__(self, found: Sequence[object], *, as_json: bool) -> int:
        """The exit code."""
        ...


@click.command()
@click.argument("cassette", type=CASSETTE)
@click.option("--era", type=click.Choice(["2025", "2026-07", "2026-10"]), help="Version of the API to use.  [default: the cassette's]")
@click.option(
    "--pump",
    envvar="TFX_PUMP",
    default="",
    metavar="SERIAL",
    help="Serial number of the pump, also from TFX_PUMP.  [default: the pump used last]",
)
@click.option(
    "--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML file with email and password in a section [tandem]."
)
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="Your own rules, for places that tfx has no rule for.")
@stand_in
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def verify(*, cassette: Path, era: str | None, as_json: bool, **options: object) -> int:
    """Compare a cassette with the live service: has it changed?

    Compares endpoints, statuses, JSON members and their types, not values.

    Records as many days as the cassette spans, up to today, in memory; nothing is written. Credentials as for tfx record.
    Exit code 1 if anything drifted.

    \b
    Examples:
      tfx verify cassettes/my-week.json
      tfx verify cassettes/session-2025.json --simulated --era 2026-10
    """
    from recorder import job
    from recorder.order import Order
    from sanitizer.policy.user_rules import rules_of
    from sanitizer.scrub import scrub
    from tfx.stages import stage
    from tfx.store import load

    check_stand_in(options)
    old = load(cassette)
    order = Order(name=old.name, region=old.region, era=era or old.era, days=days_of(old), **options)  # type: ignore[arg-type]  # Click's own types, one field each
    job.keep_no_core()
    new = scrub(_recorded(order), name=old.name, rules=rules_of(order.policy)).cassette
    drift = cast("Callable[[Cassette, Cassette], Sequence[object]]", stage("replayer.contents.drift:service_drift"))
    return cast("_Reports", stage("replayer.contents.diff:report"))(drift(old, new), as_json=as_json)


def days_of(cassette: "Cassette") -> int:
    """How many days the windows on a cassette span from first to last, both included; 1 where nobody asked for events."""
    found = []
    for exchange in cassette.exchanges:
        for value in (value for name, value in parse_qsl(urlsplit(exchange.request.url).query) if name in _DAYS):
            with suppress(ValueError):  # somebody's program may have asked in its own way
                found.append(date.fromisoformat(value[: len("2024-07-01")]))
    return (max(found) - min(found)).days + 1 if found else 1


def _recorded(order: "Order") -> "Capture":
    from recorder import credentials
    from recorder.job import local_day
    from recorder.session import record
    from recorder.simulated import simulated

    if order.simulated:
        capture, warnings = simulated(order)
        for warning in warnings:
            click.echo(f"tfx: {warning}.", err=True)
        return capture
    person = credentials.find(order.credentials)
    return record(person, order.errand(local_day(datetime.now(UTC))), clock=lambda: datetime.now(UTC))
