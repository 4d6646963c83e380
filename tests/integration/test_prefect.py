"""The three flows under Prefect's own test harness.

One test on purpose: the harness starts a server, which costs many seconds, and xdist would start one in every worker that gets a test.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import prefect_template
import pytest
from sqlalchemy import Engine

from pipeline.inspection.summary import summary
from pipeline.running.runs import Order, perform
from pipeline.running.steps import Stored
from pipeline.store.warehouse import in_memory
from tfx.errors import CassetteError
from tfx.jsonbody import Json

pytestmark = pytest.mark.proofs  # a tenth of the whole suite's time, for a server that is not ours


@pytest.fixture
def dressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Prefect with a server and a home of its own."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "CRITICAL")
    import prefect.testing.utilities as harness

    import pipeline.running.flows  # noqa: F401  # before the server starts: it turns the telemetry off

    folder = tmp_path / "server"
    prefect_template.copy(folder / "prefect-test.db")
    monkeypatch.setattr(harness, "mkdtemp", lambda: str(folder))  # where the harness puts prefect-test.db
    for name, value in prefect_template.START.items():
        monkeypatch.setenv(name, value)
    with harness.prefect_test_harness(server_startup_timeout=120):
        yield


def told(engine: Engine) -> dict[str, Json]:
    with engine.connect() as connection:
        return summary(connection)


@pytest.mark.prefect
@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.filterwarnings("default")
def test_the_flows_do_what_the_plain_functions_do(dressed: None, root: Path) -> None:
    from prefect.client.orchestration import get_client

    from pipeline.running.flows import FLOWS

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
