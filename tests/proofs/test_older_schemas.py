"""A database with an older schema: the upgrade fills every table that the events give, and the check finds nothing amiss."""

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner

from pipeline.cli import pipeline
from pipeline.store.engine import connect, driver
from pipeline.store.schema import revisions
from pipeline.store.warehouse import existing_warehouse

OF_THE_ACCOUNT = ("profile_tellings", "profiles", "profile_segments")
"""What the account's list of pumps says, and no event: it comes with the next run."""


@pytest.fixture(scope="module")
def file(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("today") / "w.duckdb"
    arguments = ["--cassette", str(root / "cassettes" / "session-us.json"), "--zone", "America/Los_Angeles"]
    assert CliRunner().invoke(pipeline, ["run", "--database", f"duckdb:///{made}", *arguments]).exit_code == 0
    return made


def content(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = existing_warehouse(url)
    try:
        with engine.connect() as connection:
            tables = [str(name) for (name,) in driver(connection).execute("SELECT table_name FROM duckdb_tables()").fetchall()]
            return {name: driver(connection).execute(f"FROM {name} ORDER BY ALL").fetchall() for name in tables}
    finally:
        engine.dispose()


@pytest.mark.parametrize("revision", ["0001", "0007", "0012", "0016"])
def test_an_upgrade_fills_what_the_older_schema_did_not_have(revision: str, file: Path, root: Path, tmp_path: Path) -> None:
    assert revision in revisions()
    older = tmp_path / "w.duckdb"
    shutil.copy(file, older)
    engine = connect(f"duckdb:///{older}")
    config = Config()
    config.set_main_option("script_location", str(root / "alembic"))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
    engine.dispose()
    assert CliRunner().invoke(pipeline, ["upgrade", "--database", f"duckdb:///{older}"]).exit_code == 0
    checked = CliRunner().invoke(pipeline, ["check", "--database", f"duckdb:///{older}"])
    assert checked.exit_code == 0, checked.output
    today, upgraded = content(f"duckdb:///{file}"), content(f"duckdb:///{older}")
    differs = {table for table in today if today[table] != upgraded[table]}
    assert differs <= ({*OF_THE_ACCOUNT} if revision < "0013" else set())
