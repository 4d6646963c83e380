"""`tfx pipeline`: parse the command line, call one function, print the result."""

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import orjson

from pipeline.options import DAY, account, see_that_they_go_together
from tandem.eras import CURRENT, ERAS
from tfx.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.runs import Order


class InOrderOfUse(click.Group):
    """A group that lists its verbs as a person meets them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those of the table first, in its order."""
        del ctx
        return sorted(self.commands, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


_ORDER: Final = ("run", "serve", "show", "check", "trace", "export", "rebuild", "upgrade")


@click.group(cls=InOrderOfUse)
def pipeline() -> None:
    """Load pump events into DuckDB, from a cassette or from the live service; check and export them.

    \b
    Examples:
      tfx pipeline run --cassette cassettes/session-us.json
      tfx pipeline run --database duckdb:///pump.duckdb --days 28
      tfx pipeline check --database duckdb:///pump.duckdb
      tfx pipeline trace --database duckdb:///pump.duckdb 12345
      tfx pipeline export --database duckdb:///pump.duckdb --output history
    """


@pipeline.command()
@click.option("--cassette", metavar="CASSETTE", help="Read this cassette (a path, or a name in cassettes/), not the live service.")
@click.option("--as-era", type=click.Choice(tuple(ERAS)), help="Serve the cassette as that version of the API.")
@click.option(
    "--database",
    metavar="URL",
    default="duckdb:///:memory:",
    show_default=True,
    help="Database to write to, such as duckdb:///pump.duckdb.",
)
@account
@click.option("--days", type=click.IntRange(min=1), help="Ask for the last N days.", metavar="N")
@click.option("--since", type=DAY, metavar="DATE", help="First day (YYYY-MM-DD).")
@click.option("--until", type=DAY, metavar="DATE", help="Last day, included.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--prefect", is_flag=True, help="Run as a Prefect flow.")
@click.option(
    "--cassettes", metavar="DIR", type=click.Path(path_type=Path), help="Many accounts: load every cassette of this folder, with --output."
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="With --cassettes: folder for Parquet files, one partition per account.",
)
@click.option(
    "--runner",
    type=click.Choice(("plain", "dask")),
    default="plain",
    show_default=True,
    help="With --cassettes: one by one, or on Dask workers.",
)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="With --runner dask: number of local processes.")
@click.option("--address", metavar="tcp://HOST:PORT", help="With --runner dask: use this running scheduler.")
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
    """Fetch pump events and store them; print row counts and a summary.

    Without days, continues where the database ends, or fetches everything into a new one. With --days, --since or --until, fetches those
    days again. Running twice adds nothing.

    Exit code 1 if answers could not be read (they are kept, and the next run without days asks for them again), if more than five known
    events arrived with other content and --changed-records keep stored them, or if time goes backwards or readings share an instant in
    the days asked for, as with two recordings in one database.

    \b
    Examples:
      tfx pipeline run --cassette session-us --zone America/Los_Angeles
      tfx pipeline run --cassette session-us --as-era 2025
      tfx pipeline run --database duckdb:///pump.duckdb --region eu --days 28
      tfx pipeline run --cassettes study --output study-tables --runner dask --workers 8
    """
    see_that_they_go_together(click.get_current_context())
    if cassettes is not None and output is not None:
        _run_many(cassettes, output, zone=zone, runner=runner, workers=workers, address=address, as_json=as_json)
        return
    from pipeline.devices import zones
    from pipeline.framing import A_HANDFUL
    from pipeline.instant_checks import collisions_within
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
        from pipeline.dask_runner import dask

        chosen = dask(address=address, workers=workers)
    done = partitions.run(cassettes, output, zone or "UTC", chosen)
    click.echo(orjson.dumps(done, option=orjson.OPT_INDENT_2).decode() if as_json else partitions_as_text(done))
    if any(partition.status == "refused" for partition in done):
        raise SystemExit(2)
    if any(partition.reason for partition in done):
        raise SystemExit(1)


_DATABASE = click.option("--database", metavar="URL", required=True, help="The database, such as duckdb:///pump.duckdb.")


@pipeline.command()
@_DATABASE
@account
@click.option("--every", metavar="MINUTES", type=click.FloatRange(min=1), default=30, show_default=True, help="Minutes between two runs.")
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
    """Fetch new events every 30 minutes until interrupted.

    Runs never overlap, and between them the database is closed. Ctrl-C and SIGTERM end it with exit code 0, at any moment: what is
    stored stays stored, and the next run continues.

    \b
    Examples:
      tfx pipeline serve --database duckdb:///pump.duckdb --zone Europe/Berlin --region eu --every 30
    """
    import time

    from pipeline.runs import Order, perform
    from pipeline.serving import Clock, Stop, rehearse
    from pipeline.serving import serve as served
    from pipeline.steps import Stored
    from pipeline.warehouse import filled, told
    from tfx.interrupted import heard

    if ":memory:" in database:
        raise UsageError("a database in memory is gone between two runs; name a file like duckdb:///warehouse.duckdb")
    order = Order(zone=zone, region=region, era=era, credentials=credentials, pump=pump, keep_changed=changed_records == "keep")

    def once() -> Stored:
        with told(database), filled(database) as engine:
            _say_which_zone(engine, zone)
            return perform(engine, order)

    def tell(words: str) -> None:
        click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC  {words}")

    rehearse()
    stop = Stop()
    with heard(stop.hear):
        done = served(once, interval=every * 60, clock=Clock(now=time.monotonic, wait=time.sleep), tell=tell, stop=stop)
        click.echo(f"stopped after {done} runs; what they stored is in {database}")


@pipeline.command()
@_DATABASE
@click.option("--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder for the files; it must not exist.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(("parquet", "csv", "nightscout")),
    default="parquet",
    show_default=True,
    help="Format of the files.",
)
@click.option("--tables", metavar="NAMES", help="Only these tables and views, separated by commas.")
@click.option("--since", type=DAY, metavar="DATE", help="First day on the pump's clock (YYYY-MM-DD).")
@click.option("--until", type=DAY, metavar="DATE", help="Last day, included.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def export(
    *, database: str, output: Path, kind: str, tables: str | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Export to Parquet, CSV or Nightscout JSON.

    Everything is written, or nothing. The files are as personal as the database.

    \b
    Examples:
      tfx pipeline export --database duckdb:///pump.duckdb --output history
      tfx pipeline export --database duckdb:///pump.duckdb --output may --format csv --tables boluses,cgm_readings --since 2026-05-01
      tfx pipeline export --database duckdb:///pump.duckdb --output nightscout --format nightscout
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
    """Migrate a database made by an older tfx.

    The next run would do the same; check, trace and export never change a database.

    \b
    Examples:
      tfx pipeline upgrade --database duckdb:///pump.duckdb
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
def rebuild(*, database: str) -> None:
    """Make every table again from the events as received, in today's schema: after an upgrade, or where somebody changed rows by hand.

    All of it or nothing; what only the quarantine keeps, profiles and days still to be asked for stay as they are.

    \b
    Example:
      tfx pipeline rebuild --database duckdb:///warehouse.duckdb
    """
    from pipeline.rebuild import rebuild as made_again
    from pipeline.warehouse import existing_warehouse, told

    with told(database):
        engine = existing_warehouse(database, upgrade=True)
        try:
            rows = made_again(engine)
        finally:
            engine.dispose()
    width = max(map(len, rows), default=0)
    click.echo("\n".join(f"{name:<{width}}  {count:>9,}" for name, count in sorted(rows.items())) or "no events")


@pipeline.command()
@_DATABASE
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(*, database: str, as_json: bool) -> None:
    """Check that no event was lost.

    Says where every event went, and makes every table again, beside the database, to compare it row by row. Exit code 1 if counts,
    sums or rows do not agree. The database is not changed.

    \b
    Examples:
      tfx pipeline check --database duckdb:///pump.duckdb
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
@click.option("--pump", metavar="SERIAL", help="Look at this pump only.")
@click.option("--group", type=click.IntRange(min=0), help="Look at this sequence group only.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def trace(*, database: str, number: int, pump: str | None, group: int | None, as_json: bool) -> None:
    """Show where one event went.

    SEQUENCE is the event's sequence number. Exit code 1 if it was never received. The output contains the event itself, which is personal.

    \b
    Examples:
      tfx pipeline trace --database duckdb:///pump.duckdb 12345
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
