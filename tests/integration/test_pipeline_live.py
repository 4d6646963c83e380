"""The command against the service, live: real TLS to the stand-in, led there by the environment alone."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import pipeline
from simulator.account import Account, account
from simulator.proxy import running
from tandem.client import TandemSource
from tfx.errors import LoginError, NetworkError, UsageError

pytestmark = pytest.mark.loopback

Service = Callable[..., AbstractContextManager[None]]
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def person() -> Account:
    return account(now=NOW, days=0.25)


@pytest.fixture
def service(person: Account, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The stand-in in an era, and the environment that leads a client to it."""

    @contextmanager
    def up(era: str, password: str | None = None) -> Iterator[None]:
        with running(person, era=era, now=lambda: datetime.now(UTC), pause=0.001) as stand_in, monkeypatch.context() as environment:
            for name in ("HTTPS_PROXY", "https_proxy"):
                environment.setenv(name, stand_in.proxy_url)
            environment.setenv("REQUESTS_CA_BUNDLE", str(stand_in.ca_file))
            environment.setenv("TFX_EMAIL", person.email)
            environment.setenv("TFX_PASSWORD", password or person.password)
            yield

    return up


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pipeline, ["run", "--json", *arguments])


@pytest.mark.proofs
def test_every_era_fills_the_same_database_once(person: Account, service: Service, tmp_path: Path) -> None:
    database = ("--database", f"duckdb:///{tmp_path / 'w.duckdb'}")
    reports = []
    for era in ("2026-10", "2026-07", "2025"):
        with service(era):
            done = run("--era", era, *database, "--days", "2")
        assert done.exception is None, done.output
        reports.append(json.loads(done.stdout))
    assert reports[0]["tables"]["raw_events"]["rows"] == len(person.current.records)
    assert [report["added"] for report in reports[1:]] == [{}, {}]
    assert reports[0]["glucose"]["readings"] > 0


@pytest.mark.proofs
def test_going_on_asks_from_the_last_stored_day(person: Account, service: Service, tmp_path: Path) -> None:
    database = ("--database", f"duckdb:///{tmp_path / 'w.duckdb'}")
    with service("2026-10"):
        first, again = (json.loads(run(*database).stdout) for _ in range(2))
    assert first["received"] >= again["received"] > 0
    assert again["added"] == {}


def test_a_wrong_password_is_the_services_no(service: Service) -> None:
    with service("2026-10", password="not this one"):
        done = run()
    assert isinstance(done.exception, LoginError)
    assert "not this one" not in str(done.exception)


def test_no_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.receive.origin.TandemSource", partial(TandemSource, sleep=lambda _seconds: None))
    monkeypatch.setenv("TFX_EMAIL", "someone@example.org")
    monkeypatch.setenv("TFX_PASSWORD", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    done = run()
    assert isinstance(done.exception, NetworkError)
    assert "secret" not in str(done.exception)


def test_an_unknown_pump_is_said(service: Service) -> None:
    with service("2026-10"):
        done = run("--pump", "12345678")
    assert isinstance(done.exception, UsageError)
    assert "12345678" not in str(done.exception)
