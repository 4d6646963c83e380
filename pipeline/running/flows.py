"""Prefect flows: a thin wrapper around `pipeline.running.runs`. Imported only when a flow is requested.

Importing Prefect costs seconds and starting its server more; it also calls home unless told not to before the import. The flows take
no parameters on purpose: Prefect would keep a serial number or a path in its own database.
See docs/decisions/prefect-is-optional.md.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

# Before the import, or they come too late. DO_NOT_TRACK alone stops the client only, not the server.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")  # 20 is too short for a busy machine

from dataclasses import replace

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from sqlalchemy import Engine

from pipeline.running.runs import Mode, Order, perform
from pipeline.running.steps import Stored
from tfx.errors import NetworkError

Result = TypeVar("Result")

_RETRIES: Final = 2
_DELAY: Final = 5.0  # s; the client itself has tried several times before


def full(engine: Engine, order: Order) -> Stored:
    """Everything the service has, as a flow."""
    return _flow(engine, order, "full")


def incremental(engine: Engine, order: Order) -> Stored:
    """From the last stored day on, as a flow."""
    return _flow(engine, order, "incremental")


def backfill(engine: Engine, order: Order) -> Stored:
    """The days of the order, as a flow."""
    return _flow(engine, order, "backfill")


FLOWS: Final[Mapping[Mode, Callable[[Engine, Order], Stored]]] = {"full": full, "incremental": incremental, "backfill": backfill}
"""Mode -> its flow."""


def as_task(name: str, do: Callable[[], Result], /) -> Result:
    """One step as a Prefect task: nothing cached, nothing persisted, tried again where there was no answer."""
    dress = task(
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=_RETRIES,
        retry_delay_seconds=_DELAY,
        retry_condition_fn=_had_no_answer,
    )
    return dress(do)()


def _had_no_answer(_task: object, _run: object, state: State[object]) -> bool:
    return isinstance(state.data, NetworkError) or isinstance(getattr(state.data, "exception", None), NetworkError)


def _flow(engine: Engine, order: Order, mode: Mode) -> Stored:
    def body() -> Stored:
        return perform(engine, replace(order, mode=mode, loopback=True), step=as_task)

    # The heartbeat is a thread that sleeps a second when the flow is over; no environment variable turns it off.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        return flow(name=f"tandem-source-{mode}", persist_result=False)(body)()
