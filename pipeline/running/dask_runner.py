"""Make partitions on the workers of a Dask cluster, through Prefect's task runner. Imported only for `--runner dask`.

A worker that dies loses only the partition it was writing: Dask gives it to another worker, which finds nothing half written.

See docs/decisions/prefect-is-optional.md and docs/scale.md.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

# Before the imports, or they come too late; workers inherit them. The partitions themselves report what went wrong.
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "error")

from pipeline.running import flows as _flows  # it turns Prefect's telemetry off  # isort: skip

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    temporary_settings,
)
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner

from pipeline.running.partitions import Partition, Runner, make
from tfx.errors import NetworkError, UsageError

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture

_ = _flows
_PATIENCE: Final = 5.0  # s
_LOCAL: Final = ("127.", "localhost", "::1")


def dask(*, address: str | None, workers: int) -> Runner:
    """A runner for `partitions`: on the cluster at `address` (tcp://host:port), or on so many processes of this machine.

    Raises UsageError where workers of other machines could not reach Prefect's server, NetworkError where no scheduler answers.
    """
    known = PREFECT_API_URL.value()
    if address:
        host, port = _place(address)
        if not host.startswith(_LOCAL) and not known:
            raise UsageError("workers of other machines need a Prefect server that they can reach: set PREFECT_API_URL to it")
        _reach(host, port)

    def spread(paths: Sequence[str], output: str, zone: str) -> Iterator[Partition]:
        dress = task(name="partition", cache_policy=NO_CACHE, persist_result=False)(make)

        def body() -> list[Partition]:
            futures: list[PrefectFuture[Partition]] = [dress.submit(path, output, zone) for path in paths]
            return [future.result() for future in as_completed(futures)]

        with _server(known):
            yield from flow(name="tandem-source-partitions", persist_result=False, task_runner=_dask(address, workers))(body)()

    return spread


def _place(address: str) -> tuple[str, int]:
    """Host and port. Raises UsageError where there are none."""
    parts = urlsplit(address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise UsageError("the address of a Dask scheduler is like tcp://HOST:PORT; name it so with --address")
    return host, port


def _reach(host: str, port: int) -> None:
    """See that somebody listens there: Dask itself tries for half a minute and tells it in a hundred lines."""
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except OSError as e:
        raise NetworkError(
            f"no Dask scheduler answers at {host}:{port} ({e.strerror or type(e).__name__}); start one with: dask scheduler, "
            "or leave out --address for processes of this machine"
        ) from e


def _dask(address: str | None, workers: int) -> "TaskRunner[PrefectFuture[Any]]":
    # One thread a worker: DuckDB uses the cores by itself. Any free port for the status page, so that two runs do not meet.
    here = {"n_workers": workers, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    chosen = DaskTaskRunner(address=address) if address else DaskTaskRunner(cluster_kwargs=here)
    return cast("TaskRunner[PrefectFuture[Any]]", chosen)


@contextmanager
def _server(known: str | None) -> Iterator[None]:
    """One server for the flow and every worker; without it each of them would start its own."""
    quiet = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    if known:
        with temporary_settings(quiet):
            yield
        return
    server = SubprocessASGIServer()
    server.start(timeout=PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value())
    try:
        with temporary_settings({**quiet, PREFECT_API_URL: server.api_url}):
            yield
    finally:
        server.stop()
