"""What a database holds: each pump by itself, whatever the others have, and nothing changed by the looking."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import Engine

from pipeline.cli import pipeline
from pipeline.inspection.contents import contents
from pipeline.inspection.report import contents_as_text
from pipeline.models import TABLES
from pipeline.receive.pumps import Pump
from pipeline.running.steps import Stored
from pipeline.store.engine import driver
from pipeline.store.schema import head
from pipeline.store.unread_days import remember
from pipeline.store.warehouse import open_warehouse
from tandem.records import Records
from tandem.windows import Window

Keep = Callable[..., Stored]
START = 580_003_200
"""2026-05-19 00:00 on a pump's clock."""


def test_every_pump_is_shown_with_its_own_events_days_and_settings(keep: Keep, warehouse: Engine) -> None:
    set_years_ago = Records.build(code=13, seconds=START - 400 * 86_400, sequence=0)
    day = (Records.build(code=code, seconds=START + at, sequence=at) for at, code in ((1, 90), (2, 48), (3, 4000)))
    keep(Records.join((set_years_ago, *day)))
    other = Pump(key="b", serial_number="90000777", first="", last="", model_name="Mobi", software_version="7.9")
    keep(Records.build(code=13, seconds=0, sequence=1), pump=other)
    keep(
        Records.build(code=90, seconds=START, sequence=1),
        pump=Pump(key="c", serial_number="90000003", first="", last="", model_number="1000354"),
    )
    with warehouse.begin() as connection:
        remember(connection, 2, Window(since=date(2026, 5, 2), until=date(2026, 5, 3)), is_read=False)
    with warehouse.connect() as connection:
        found = contents(connection)
        rows = {table: len(driver(connection).execute(f"SELECT 1 FROM {table}").fetchall()) for table in TABLES}
    assert found.tables == rows
    assert contents_as_text(found).splitlines()[:9] == [
        f"schema {head()}",
        "",
        "pump 1: model 1000354, software unknown, serial number ...001",
        "  events: 4, 2026-05-19 00:00:01 to 2026-05-19 00:00:03 on its clock; instants under the zone America/Los_Angeles",
        "pump 2: Mobi unknown, software 7.9, serial number ...777",
        "  events: 1, nothing but changes of its clock; instants under the zone America/Los_Angeles",
        "  could not be read, the next run asks again: 2026-05-02 to 2026-05-03",
        "pump 3: model 1000354, software unknown, serial number ...003",
        "  events: 1, 2026-05-19 00:00:00 to 2026-05-19 00:00:00 on its clock; instants under the zone America/Los_Angeles",
    ]
    assert contents_as_text(found).splitlines()[-1] == "set aside 1 x unknown code (4000)"


def test_the_command_shows_an_empty_database_and_when_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    open_warehouse(f"duckdb:///{file}").dispose()
    before = file.read_bytes()
    done = CliRunner().invoke(pipeline, ["show", "--database", f"duckdb:///{file}"])
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    assert done.output == f"schema {head()}; last written {written:%Y-%m-%d %H:%M} UTC\nno pump: nothing was loaded into it yet\n"
    assert file.read_bytes() == before
