"""`tfx pipeline export`: tables as files."""

from datetime import datetime
from pathlib import Path

import click

from pipeline.verbs.options import AS_JSON, DATABASE, DAY, as_text_or_json


@click.command()
@DATABASE
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
@AS_JSON
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
    from pipeline.export.files import Choice
    from pipeline.export.files import export as written
    from pipeline.inspection.report import counts_as_text
    from pipeline.store.warehouse import reading

    names = tuple(name.strip() for name in tables.split(",")) if tables else ()
    choice = Choice(tables=names, since=since.date() if since else None, until=until.date() if until else None)
    with reading(database) as connection:
        found = dict(written(connection, output, kind, choice))
    as_text_or_json(found, counts_as_text, as_json=as_json)
