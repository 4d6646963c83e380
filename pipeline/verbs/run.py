"""`tfx pipeline run`: fetch events and store them."""

import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from pipeline.verbs.options import AS_JSON, DAY, Account, account, as_text_or_json, say_which_zone, see_that_they_go_together
from tandem.eras import CURRENT, ERAS
from tfx.extras import need

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.running.runs import Mode, Order
    from pipeline.running.steps import Stored
    from tfx.jsonbody import Json


class Given(Account):
    """The options of `run` as Click gives them."""

    cassette: str | None
    as_era: str | None
    database: str
    days: int | None
    since: datetime | None
    until: datetime | None
    as_json: bool
    prefect: bool
    cassettes: Path | None
    output: Path | None
    runner: str
    workers: int
    address: str | None


@click.command()
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
@AS_JSON
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
@click.pass_context
def run(context: click.Context, /, **given: Unpack[Given]) -> None:
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
    see_that_they_go_together(context)
    if given["prefect"]:
        need("--prefect", "prefect")
    if given["runner"] == "dask":
        need("--runner dask", "dask")
    if given["cassettes"] is not None and given["output"] is not None:
        _run_many(given["cassettes"], given["output"], given)
    else:
        _run_one(given)


def _run_one(given: Given) -> None:
    """One account into one database; exit 1 if something needs a person's look."""
    from pipeline.inspection.report import as_text
    from pipeline.store.warehouse import filled, told

    order = _order(given)
    with told(given["database"]), filled(given["database"]) as engine:
        say_which_zone(engine, given["zone"])
        stored = _carrier(order.mode, prefect=given["prefect"])(engine, order)
        report, crossed = _report(engine, stored)
    as_text_or_json(report, as_text, as_json=given["as_json"])
    warnings = _warnings(report, stored, crossed, _again(given["cassette"], given["database"], order))
    for warning in warnings:
        click.echo(f"tfx: {warning}", err=True)
    if warnings:
        raise SystemExit(1)


def _order(given: Given) -> "Order":
    from pipeline.running.runs import Order

    since, until = given["since"], given["until"]
    return Order(
        mode="incremental" if given["days"] is None and since is None and until is None else "backfill",
        cassette=given["cassette"], as_era=given["as_era"], zone=given["zone"], region=given["region"], era=given["era"],
        credentials=given["credentials"], pump=given["pump"], days=given["days"],
        since=since.date() if since else None, until=until.date() if until else None, keep_changed=given["changed_records"] == "keep",
    )  # fmt: skip


def _carrier(mode: "Mode", *, prefect: bool) -> "Callable[[Engine, Order], Stored]":
    """What carries an order out: the plain function, or the Prefect flow around it."""
    if prefect:
        from pipeline.running.flows import FLOWS

        return FLOWS[mode]
    from pipeline.running.runs import perform

    return perform


def _report(engine: "Engine", stored: "Stored") -> "tuple[dict[str, Json], tuple[str, ...]]":
    """What the database holds and what this run did to it; and where recordings cross in the days it asked for."""
    from pipeline.inspection.instant_checks import collisions_within
    from pipeline.inspection.summary import summary
    from pipeline.store.devices import zones

    with engine.connect() as connection:
        report = summary(connection)
        report["zones"] = list(zones(connection))
        crossed = tuple(collisions_within(connection, stored.windows))
    report["received"] = stored.received
    report["aside"] = dict(stored.aside)
    report["added"] = dict(sorted(stored.rows.items()))
    return report, crossed


def _warnings(report: "dict[str, Json]", stored: "Stored", crossed: tuple[str, ...], again: str | None) -> tuple[str, ...]:
    """What makes the exit code 1, in sentences."""
    from pipeline.inspection.report import changed_as_text, unread_as_text
    from pipeline.receive.framing import A_HANDFUL
    from pipeline.store.reasons import Reason

    changed = stored.aside[Reason.CHANGED]
    return (
        *((unread_as_text(report, again),) if report["unread"] else ()),
        *((changed_as_text(changed),) if changed > A_HANDFUL else ()),
        *(f"{finding}; look with: tfx pipeline check" for finding in crossed),
    )


def _again(cassette: str | None, database: str, order: "Order") -> str | None:
    """The command that asks for holes again; None where nobody can: a cassette says the same again, and memory forgets."""
    from pipeline.store.engine import shown

    if cassette is not None or ":memory:" in database:
        return None
    told = {"zone": order.zone, "region": order.region, "era": order.era, "credentials": order.credentials, "database": shown(database)}
    usual = {"region": "us", "era": CURRENT}
    given = [word for name, value in told.items() if value not in (None, usual.get(name)) for word in (f"--{name}", str(value))]
    # A serial number is nobody else's business: the command names its place only.
    return shlex.join(["tfx", "pipeline", "run", *given]) + (" --pump SERIAL" if order.pump else "")


def _run_many(cassettes: Path, output: Path, given: Given) -> None:
    """Every cassette of a folder into a partition; exit 2 if one could not be read, when all others are done; 1 if an answer could not."""
    from pipeline.inspection.report import partitions_as_text
    from pipeline.running import partitions

    if given["zone"] is None:
        click.echo("tfx: no --zone, so every pump's clock is taken for UTC; name the accounts' if it is not", err=True)
    chosen: partitions.Runner = partitions.one_by_one
    if given["runner"] == "dask":
        from pipeline.running.dask_runner import dask

        chosen = dask(address=given["address"], workers=given["workers"])
    done = partitions.run(cassettes, output, "UTC" if given["zone"] is None else given["zone"], chosen)
    as_text_or_json(done, partitions_as_text, as_json=given["as_json"])
    if any(partition.status == "refused" for partition in done):
        raise SystemExit(2)
    if any(partition.reason for partition in done):
        raise SystemExit(1)
