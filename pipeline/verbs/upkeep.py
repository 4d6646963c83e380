"""`tfx pipeline upgrade` and `rebuild`: a database brought up to date, or made again from the events as received."""

import click

from pipeline.verbs.options import DATABASE


@click.command()
@DATABASE
def upgrade(*, database: str) -> None:
    """Migrate a database made by an older tfx.

    The next run would do the same; show, check, trace and export never change a database.

    \b
    Examples:
      tfx pipeline upgrade --database duckdb:///pump.duckdb
    """
    from pipeline.derive.update import derive
    from pipeline.store.schema import head
    from pipeline.store.warehouse import existing_warehouse, told

    with told(database):
        engine = existing_warehouse(database, upgrade=True)
        try:
            derive(engine)
        finally:
            engine.dispose()
    click.echo(f"the database has schema {head()}")


@click.command()
@DATABASE
def rebuild(*, database: str) -> None:
    """Make every table again from the events as received, in today's schema: after an upgrade, or where somebody changed rows by hand.

    All of it or nothing; what only the quarantine keeps, profiles and days still to be asked for stay as they are.

    \b
    Example:
      tfx pipeline rebuild --database duckdb:///warehouse.duckdb
    """
    from pipeline.derive.rebuild import rebuild as made_again
    from pipeline.inspection.report import counts_as_text
    from pipeline.store.warehouse import existing_warehouse, told

    with told(database):
        engine = existing_warehouse(database, upgrade=True)
        try:
            rows = made_again(engine)
        finally:
            engine.dispose()
    click.echo(counts_as_text(dict(sorted(rows.items()))) or "no events")
