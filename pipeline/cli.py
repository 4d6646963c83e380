"""`tfx pipeline`: parse, carry out, print."""

import logging
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from pipeline.options import DAY, account, see_that_they_go_together
from tandem.eras import CURRENT, ERAS
from tfx.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.runs import Order


@click.group()
def pipeline() -> None:
    """Tandem Source into DuckDB: a table for everything a pump tells.

    \b
    Examples:
      tfx pipeline run --cassette cassettes/session-us.json
      tfx pipeline run --database duckdb:///pump.duckdb --days 28
      tfx pipeline check --database duckdb:///pump.duckdb
      tfx pipeline trace --database duckdb:///pump.duckdb 12345
      tfx pipeline export --database duckdb:///pump.duckdb --output history
    """


@pipeline.command()
@click.option("--cassette", metavar="CASSETTE", help="Read this cassette (a path, or a name in cassettes/) instead of the live service.")
@click.option("--as-era", type=click.Choice(tuple(ERAS)), help="Take the cassette as if the service of that era had been recorded.")
@click.option(
    "--database", metavar="URL", default="duckdb:///:memory:", show_default=True, help="Where to, such as duckdb:///warehouse.duckdb."
)
@account
@click.option("--days", type=click.IntRange(min=1), help="The last so many days.")
@click.option("--since", type=DAY, help="The first day.")
@click.option("--until", type=DAY, help="The last day, included.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
@click.option("--prefect", is_flag=True, help="Run it as a Prefect flow, with Prefect's server and log.")
@click.option(
    "--cassettes", metavar="DIR", type=click.Path(path_type=Path), help="Many accounts: every cassette in this folder, a partition each."
)
@click.option("--output", metavar="DIR", type=click.Path(path_type=Path), help="Where the partitions of --cassettes go, as Parquet.")
@click.option("--runner", type=click.Choice(("plain", "dask")), default="plain", show_default=True, help="What runs --cassettes.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="How many processes Dask starts here.")
@click.option("--address", metavar="tcp://HOST:PORT", help="A Dask scheduler that runs already, instead of processes here.")
def run(
    *,
    cassette: str | None,
    as_era: str | None,
    database: str,
    zone: str | None,
    region: str,
    era: str,
    credentials: Path | None,
    pump: str | None,
    changed_records: str,
    days: int | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
    prefect: bool,
    cassettes: Path | None,
    output: Path | None,
    runner: str,
    workers: int,
    address: str | None,
) -> None:
    """Ask for pump events and store them; print row counts and a summary.

    Without days it goes on where the database ends (incremental), or takes everything where it is new (full); --days, --since and --until
    ask for those days, whatever is stored (backfill). Running twice adds nothing.
    Exit 1 where answers could not be read: they are kept, and a later run without days asks for them again; and where more than a handful
    of events say something else than those of their number, and --changed-records keep let them in; and where, in the days
    asked for, time goes back or readings share an instant: two recordings are in one database, or a clock's setting is missing.

    \b
    Example:
      tfx pipeline run --cassette session-us --zone America/Los_Angeles
      tfx pipeline run --cassette session-us --as-era 2025
      tfx pipeline run --database duckdb:///warehouse.duckdb --region eu --days 28
      tfx pipeline run --cassettes study --output study-tables --runner dask --workers 8
    """
    see_that_they_go_together(click.get_current_context())
    if cassettes is not None and output is not None:
        _run_many(cassettes, output, zone=zone, runner=runner, workers=workers, address=address, as_json=as_json)
        return
    from pipeline.devices import zones
    from pipeline.framing import A_HANDFUL
    from pipeline.moments import collisions_within
    from pipeline.report import as_text, changed_as_text, unread_as_text
    from pipeline.runs import Mode, Order, perform
    from pipeline.steps import CHANGED, Stored
    from pipeline.summary import summary
    from pipeline.warehouse import filled, told

    mode: Mode = "incremental" if days is None and since is None and until is None else "backfill"
    order = Order(
        mode=mode, cassette=cassette, as_era=as_era, zone=zone, region=region, era=era, credentials=credentials, pump=pump, days=days,
        since=since.date() if since else None, until=until.date() if until else None, keep_changed=changed_records == "keep",
    )  # fmt: skip
    carry_out: Callable[[Engine, Order], Stored] = perform
    if prefect:
        from pipeline.flows import FLOWS

        carry_out = FLOWS[mode]
    # The pool logs a traceback for a connection it cannot close, as on a full disk; the error itself is told below.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL + 1)
    with told(database), filled(database) as engine:
        _say_which_zone(engine, zone)
        stored = carry_out(engine, order)
        with engine.connect() as connection:
            report = summary(connection)
            report["zones"] = list(zones(connection))
            crossed = tuple(collisions_within(connection, stored.windows))
    report["received"] = stored.received
    report["aside"] = dict(stored.aside)
    report["added"] = dict(sorted(stored.rows.items()))
    click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if as_json else as_text(report))
    if report["unread"]:
        click.echo(f"tfx: {unread_as_text(report, _again(cassette, database, order))}", err=True)
    if (changed := stored.aside[CHANGED]) > A_HANDFUL:
        click.echo(f"tfx: {changed_as_text(changed)}", err=True)
    for finding in crossed:
        click.echo(f"tfx: {finding}; look with: tfx pipeline check", err=True)
    if report["unread"] or changed > A_HANDFUL or crossed:
        raise SystemExit(1)


def _say_which_zone(engine: "Engine", zone: str | None) -> None:
    """Warn before anything is stored where nobody named the account's zone: a database stays with the one it began with."""
    from pipeline.devices import zones

    with engine.connect() as connection:
        if zone is None and not zones(connection):
            click.echo(
                "tfx: no --zone, so the pump's clock is taken for UTC; name the account's, such as Europe/Berlin, if it is not", err=True
            )


def _again(cassette: str | None, database: str, order: "Order") -> str | None:
    """The command that asks for holes again; None where nobody can: a cassette says the same again, and memory forgets."""
    from pipeline.warehouse import shown

    if cassette is not None or ":memory:" in database:
        return None
    told = {"zone": order.zone, "region": order.region, "era": order.era, "credentials": order.credentials, "database": shown(database)}
    usual = {"region": "us", "era": CURRENT}
    given = [word for name, value in told.items() if value not in (None, usual.get(name)) for word in (f"--{name}", str(value))]
    # A serial number is nobody else's business: the command names its place only.
    return shlex.join(["tfx", "pipeline", "run", *given]) + (" --pump SERIAL" if order.pump else "")


def _run_many(cassettes: Path, output: Path, *, zone: str | None, runner: str, workers: int, address: str | None, as_json: bool) -> None:
    """Every cassette of a folder into a partition; exit 2 if one could not be read, when all others are done; 1 if an answer could not."""
    from pipeline import partitions
    from pipeline.report import partitions_as_text

    if zone is None:
        click.echo("tfx: no --zone, so every pump's clock is taken for UTC; name the accounts' if it is not", err=True)
    chosen: partitions.Runner = partitions.one_by_one
    if runner == "dask":
        from pipeline.spread import dask

        chosen = dask(address=address, workers=workers)
    done = partitions.run(cassettes, output, zone or "UTC", chosen)
    click.echo(orjson.dumps(done, option=orjson.OPT_INDENT_2).decode() if as_json else partitions_as_text(done))
    if any(partition.status == "refused" for partition in done):
        raise SystemExit(2)
    if any(partition.reason for partition in done):
        raise SystemExit(1)


_DATABASE = click.option("--database", metavar="URL", required=True, help="Which database, such as duckdb:///warehouse.duckdb.")


@pipeline.command()
@_DATABASE
@account
@click.option("--every", metavar="MINUTES", type=click.FloatRange(min=1), default=30, show_default=True, help="How often to ask.")
def serve(
    *,
    database: str,
    zone: str | None,
    region: str,
    era: str,
    credentials: Path | None,
    pump: str | None,
    changed_records: str,
    every: float,
) -> None:
    """Ask for what is new every so many minutes until interrupted; runs never overlap, and between them the database is closed.

    Ctrl-C and SIGTERM end it with exit code 0, in the middle of a run too: what finished windows stored stays, and the next run goes on.

    \b
    Example:
      tfx pipeline serve --database duckdb:///warehouse.duckdb --zone Europe/Berlin --region eu --every 30
    """
    import time

    from pipeline.runs import Order, perform
    from pipeline.serving import Clock
    from pipeline.serving import serve as served
    from pipeline.steps import Stored
    from pipeline.warehouse import filled, told

    if ":memory:" in database:
        raise UsageError("a database in memory is gone between two runs; name a file like duckdb:///warehouse.duckdb")
    order = Order(zone=zone, region=region, era=era, credentials=credentials, pump=pump, keep_changed=changed_records == "keep")

    def once() -> Stored:
        with told(database), filled(database) as engine:
            _say_which_zone(engine, zone)
            return perform(engine, order)

    def tell(words: str) -> None:
        click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC  {words}")

    done = served(once, interval=every * 60, clock=Clock(now=time.monotonic, wait=time.sleep), tell=tell)
    click.echo(f"stopped after {done} runs; what they stored is in {database}")


@pipeline.command()
@_DATABASE
@click.option("--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="A new folder for the files.")
@click.option(
    "--format", "kind", type=click.Choice(("parquet", "csv", "nightscout")), default="parquet", show_default=True, help="What to write."
)
@click.option("--tables", metavar="NAMES", help="Only these tables and views, with commas.")
@click.option("--since", type=DAY, help="The first day, on the pump's clock.")
@click.option("--until", type=DAY, help="The last day, included.")
@click.option("--json", "as_json", is_flag=True, help="Print files and rows as JSON.")
def export(
    *, database: str, output: Path, kind: str, tables: str | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Write tables and views as Parquet or CSV, or what Nightscout calls entries and treatments as JSON; all of it or nothing.

    The files hold everything the database holds: whoever can read them can read the person's history.

    \b
    Example:
      tfx pipeline export --database duckdb:///warehouse.duckdb --output history
      tfx pipeline export --database duckdb:///warehouse.duckdb --output may --format csv --tables boluses,cgm_readings --since 2026-05-01
      tfx pipeline export --database duckdb:///warehouse.duckdb --output nightscout --format nightscout
    """
    from pipeline.export import Choice
    from pipeline.export import export as written
    from pipeline.warehouse import existing_warehouse

    names = tuple(name.strip() for name in tables.split(",")) if tables else ()
    choice = Choice(tables=names, since=since.date() if since else None, until=until.date() if until else None)
    engine = existing_warehouse(database)
    try:
        with engine.connect() as connection:
            found = written(connection, output, kind, choice)
    finally:
        engine.dispose()
    if as_json:
        click.echo(orjson.dumps(dict(found), option=orjson.OPT_INDENT_2).decode())
        return
    width = max(map(len, found))
    click.echo("\n".join(f"{name:<{width}}  {rows:>9,}" for name, rows in found.items()))


@pipeline.command()
@_DATABASE
def upgrade(*, database: str) -> None:
    """Bring a database that an older tfx made to today's schema, as the next run would; check, trace and export change nothing.

    \b
    Example:
      tfx pipeline upgrade --database duckdb:///warehouse.duckdb
    """
    from pipeline.derive import derive
    from pipeline.warehouse import existing_warehouse, head, told

    with told(database):
        engine = existing_warehouse(database, upgrade=True)
        try:
            derive(engine)
        finally:
            engine.dispose()
    click.echo(f"the database has schema {head()}")


@pipeline.command()
@_DATABASE
@click.option("--json", "as_json", is_flag=True, help="Print what went where as JSON.")
def check(*, database: str, as_json: bool) -> None:
    """Say where every event went, and whether counts and sums agree between the stages; exit 1 if not.

    \b
    Example:
      tfx pipeline check --database duckdb:///warehouse.duckdb
    """
    from dataclasses import asdict

    from pipeline.check import check as checked
    from pipeline.report import places_as_text
    from pipeline.warehouse import existing_warehouse

    engine = existing_warehouse(database)
    try:
        with engine.connect() as connection:
            found = checked(connection)
    finally:
        engine.dispose()
    click.echo(orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2).decode() if as_json else places_as_text(found))
    if found.findings:
        raise SystemExit(1)


@pipeline.command()
@_DATABASE
@click.argument("number", metavar="SEQUENCE", type=click.IntRange(min=0))
@click.option("--pump", metavar="SERIAL", help="Of this pump only.")
@click.option("--group", type=click.IntRange(min=0), help="Of this sequence group only.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def trace(*, database: str, number: int, pump: str | None, group: int | None, as_json: bool) -> None:
    """Say where the event of a sequence number went; exit 1 if it was never received.

    It prints what the event holds: whoever reads it reads a piece of the person's history.

    \b
    Example:
      tfx pipeline trace --database duckdb:///warehouse.duckdb 12345
    """
    from dataclasses import asdict

    from pipeline.report import traced_as_text
    from pipeline.trace import trace as traced
    from pipeline.warehouse import existing_warehouse

    engine = existing_warehouse(database)
    try:
        with engine.connect() as connection:
            found = traced(connection, number, serial_number=pump, group=group)
    finally:
        engine.dispose()
    if not found:
        raise UsageError("the database has no such pump or sequence group; leave out --pump and --group to look at all of them")
    told = [asdict(one) for one in found]
    click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() if as_json else traced_as_text(found))
    if not any(one.received for one in found):
        raise SystemExit(1)
