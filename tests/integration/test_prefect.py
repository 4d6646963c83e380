"""The three flows under Prefect's own test harness.

One test on purpose: the harness starts a server, which costs many seconds, and xdist would start one in every worker that gets a test.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline.runs import Order, perform
from pipeline.steps import Stored
from pipeline.summary import summary
from pipeline.warehouse import in_memory
from tfx.errors import CassetteError
from tfx.jsonbody import Json


@pytest.fixture
def dressed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Prefect with a server and a home of its own.

    Migrating an empty database is half of the server's start, so pytest's cache keeps one that is migrated: a copy a run.
    """
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "CRITICAL")
    import prefect.testing.utilities as harness

    import pipeline.flows  # noqa: F401  # before the server starts: it turns the telemetry off

    folder = tmp_path / "server"
    folder.mkdir()
    monkeypatch.setattr(harness, "mkdtemp", lambda: str(folder))  # where the harness puts prefect-test.db
    database = folder / "prefect-test.db"
    template = request.config.cache.mkdir("prefect") / f"{version('prefect')}.db"
    if template.exists():
        database.write_bytes(template.read_bytes())
        monkeypatch.setenv("PREFECT_SERVER_DATABASE_MIGRATE_ON_START", "false")
    with harness.prefect_test_harness(server_startup_timeout=120):
        if not template.exists():
            keep(database, template)
        yield


def keep(database: Path, template: Path) -> None:
    """A consistent copy of a database in use, whole or not at all."""
    part = template.with_suffix(f".{os.getpid()}")
    with closing(sqlite3.connect(database)) as ours, closing(sqlite3.connect(part)) as copy:
        ours.backup(copy)
    part.replace(template)


def told(engine: Engine) -> dict[str, Json]:
    with engine.connect() as connection:
        return summary(connection)


@pytest.mark.prefect
@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.filterwarnings("default")
def test_the_flows_do_what_the_plain_functions_do(dressed: None, root: Path) -> None:
    from prefect.client.orchestration import get_client

    from pipeline.flows import FLOWS

    order = Order(cassette=str(root / "cassettes/session-us.json"), zone="America/Los_Angeles")
    plain, flowing = in_memory(), in_memory()
    expected = perform(plain, order)
    assert FLOWS["full"](flowing, order) == expected
    assert told(flowing) == told(plain)
    assert FLOWS["incremental"](flowing, order) == Stored(received=expected.received)
    with pytest.raises(CassetteError, match=r"nowhere\.json does not exist"):
        FLOWS["backfill"](flowing, Order(cassette="nowhere.json", days=2))
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs()
        tasks = {run.name for run in client.read_task_runs()}
    assert sorted(run.state_name or "" for run in runs) == ["Completed", "Completed", "Failed"]
    assert [run.parameters for run in runs] == [{}, {}, {}]
    assert {name.split()[0] for name in tasks} == {"list", "fetch", "store", "work"}
    plain.dispose()
    flowing.dispose()
