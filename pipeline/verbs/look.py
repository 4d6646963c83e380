"""`tfx pipeline show`, `check` and `trace`: what a database holds. They open it to be read only."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipeline.verbs.options import AS_JSON, DATABASE, as_text_or_json
from tfx.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection


@click.command()
@DATABASE
@AS_JSON
def show(*, database: str, as_json: bool) -> None:
    """Show what a database holds.

    Its pumps, from when to when it has events of each, rows per table, what was set aside and why, days that could not be read, and the
    version of its schema. Of serial numbers only --json shows more than the end.

    \b
    Examples:
      tfx pipeline show --database duckdb:///pump.duckdb
      tfx pipeline show --database duckdb:///pump.duckdb --json | jq .tables.cgm_readings
    """
    from pipeline.inspection.contents import contents
    from pipeline.inspection.report import contents_as_text
    from pipeline.store.warehouse import reading

    with reading(database) as connection:
        found = contents(connection)
        _say_if_cut_short(connection)
    as_text_or_json(asdict(found), lambda _: contents_as_text(found), as_json=as_json)


@click.command()
@DATABASE
@AS_JSON
def check(*, database: str, as_json: bool) -> None:
    """Check that no event was lost.

    Says where every event went, and makes every table again, beside the database, to compare it row by row. Exit code 1 if counts,
    sums or rows do not agree. The database is not changed.

    \b
    Examples:
      tfx pipeline check --database duckdb:///pump.duckdb
    """
    from pipeline.inspection.check import check as checked
    from pipeline.inspection.report import places_as_text
    from pipeline.store.warehouse import reading

    with reading(database) as connection:
        found = checked(connection)
    as_text_or_json(asdict(found), lambda _: places_as_text(found), as_json=as_json)
    if found.findings:
        raise SystemExit(1)


@click.command()
@DATABASE
@click.argument("number", metavar="SEQUENCE", type=click.IntRange(min=0))
@click.option("--pump", metavar="SERIAL", help="Look at this pump only.")
@click.option("--group", type=click.IntRange(min=0), help="Look at this sequence group only.")
@AS_JSON
def trace(*, database: str, number: int, pump: str | None, group: int | None, as_json: bool) -> None:
    """Show where one event went.

    SEQUENCE is the event's sequence number. Exit code 1 if it was never received. The output contains the event itself, which is personal.

    \b
    Examples:
      tfx pipeline trace --database duckdb:///pump.duckdb 12345
    """
    from pipeline.inspection.report import traced_as_text
    from pipeline.inspection.trace import trace as traced
    from pipeline.store.warehouse import reading

    with reading(database) as connection:
        found = traced(connection, number, serial_number=pump, group=group)
        _say_if_cut_short(connection)
    if not found:
        raise UsageError("the database has no such pump or sequence group; leave out --pump and --group to look at all of them")
    as_text_or_json([asdict(one) for one in found], lambda _: traced_as_text(found), as_json=as_json)
    if not any(one.received for one in found):
        raise SystemExit(1)


def _say_if_cut_short(connection: "Connection") -> None:
    from pipeline.store.ranges import CUT_SHORT, is_waiting

    if is_waiting(connection):
        click.echo(f"tfx: {CUT_SHORT}", err=True)
