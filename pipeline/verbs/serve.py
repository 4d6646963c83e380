"""`tfx pipeline serve`: fetch what is new, again and again."""

from datetime import UTC, datetime
from typing import Unpack

import click

from pipeline.verbs.options import DATABASE, Account, account, say_which_zone
from tfx.errors import UsageError
from tfx.plural import plural


class Given(Account):
    """The options of `serve` as Click gives them."""

    database: str
    every: float


@click.command()
@DATABASE
@account
@click.option("--every", metavar="MINUTES", type=click.FloatRange(min=1), default=30, show_default=True, help="Minutes between two runs.")
def serve(**given: Unpack[Given]) -> None:
    """Fetch new events every 30 minutes until interrupted.

    Runs never overlap, and between them the database is closed. Ctrl-C and SIGTERM end it with exit code 0, at any moment: what is
    stored stays stored, and the next run continues.

    \b
    Examples:
      tfx pipeline serve --database duckdb:///pump.duckdb --zone Europe/Berlin --region eu --every 30
    """
    import time

    from pipeline.running.runs import Order, perform
    from pipeline.running.serving import Clock, Stop, rehearse
    from pipeline.running.serving import serve as served
    from pipeline.running.steps import Stored
    from pipeline.store.warehouse import filled, told
    from tfx.interrupted import heard

    database = given["database"]
    if ":memory:" in database:
        raise UsageError("a database in memory is gone between two runs; name a file like duckdb:///warehouse.duckdb")
    order = Order(
        zone=given["zone"], region=given["region"], era=given["era"], credentials=given["credentials"], pump=given["pump"],
        keep_changed=given["changed_records"] == "keep",
    )  # fmt: skip

    def once() -> Stored:
        with told(database), filled(database) as engine:
            say_which_zone(engine, given["zone"])
            return perform(engine, order)

    def tell(words: str) -> None:
        click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC  {words}")

    rehearse()
    stop = Stop()
    with heard(stop.hear):
        done = served(once, interval=given["every"] * 60, clock=Clock(now=time.monotonic, wait=time.sleep), tell=tell, stop=stop)
        click.echo(f"stopped after {plural(done, 'run')}; what they stored is in {database}")
