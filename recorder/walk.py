"""The requests of a recording, in a client's order: sign in, list pumps, read the profile, then fetch events window by window."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from recorder.checkpoint import Errand
from recorder.credentials import Credentials
from tandem.client import TandemSource
from tandem.windows import Window, windows
from tfx.errors import UsageError
from tfx.jsonbody import Json
from tfx.plural import plural

Track = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pump:
    """One pump of the account: `key` is what its events are asked for with, `latest` the wall-clock text of its last event or empty."""

    key: str
    serial: str
    model: str
    latest: str

    def __repr__(self) -> str:
        return f"Pump({self.model})"


def walk(source: TandemSource, credentials: Credentials, errand: Errand, track: Track) -> None:
    """Ask for everything of the errand; whoever carries the session keeps the answers.

    Raises:
        UsageError: the pump asked for is not on the account, or no pump on it has events.
        ServiceError: as `TandemSource`.
    """
    source.log_in(credentials.email, credentials.password)
    pumps = pumps_of(source)
    source.pumpers()
    pump = chosen(pumps, errand.pump)
    cut = windows(errand.since, errand.until, source.era.max_window_days)
    with track("pump events", len(cut)) as advance:
        for window in cut:
            _events(source, pump, window)
            advance(1)


def _events(source: TandemSource, pump: Pump, window: Window) -> None:
    if source.era.wire == "json":
        source.pump_logs(pump.key, window)
    else:
        source.pump_events(pump.key, window)


def pumps_of(source: TandemSource) -> tuple[Pump, ...]:
    """The pumps of the account, as this era lists them."""
    if source.era.wire == "binary":
        return _pumps(source.pump_event_metadata(), key="tconnectDeviceId", model="modelNumber", latest="maxDateWithEvents")
    listed = source.pumper().get("pumps")
    return _pumps(listed if isinstance(listed, list) else [], key="assignmentId", model="modelName", latest="maxDateOfEvents")


def _pumps(listed: Iterable[Json], *, key: str, model: str, latest: str) -> tuple[Pump, ...]:
    found = [item for item in listed if isinstance(item, dict)]
    return tuple(
        Pump(key=_text(item, key), serial=_text(item, "serialNumber"), model=_text(item, model) or "unknown", latest=_text(item, latest))
        for item in found
        if _text(item, key)
    )


def _text(item: Mapping[str, Json], name: str) -> str:
    value = item.get(name)
    return "" if value is None else str(value)


def chosen(pumps: tuple[Pump, ...], serial: str = "") -> Pump:
    """The pump of that serial number, else the one with the latest event, as tconnectsync chooses.

    Raises:
        UsageError: there is none; the models are listed, the serial numbers are not.
    """
    models = ", ".join(sorted(pump.model for pump in pumps)) or "none"
    if serial:
        match = [pump for pump in pumps if pump.serial == serial]
        if not match:
            raise UsageError(
                f"the account has {plural(len(pumps), 'pump')} ({models}), none of the serial number asked for; "
                "check --pump against the number on the back of the pump, or leave it out for the pump used last"
            )
        return match[0]
    used = [pump for pump in pumps if pump.latest]
    if not used:
        raise UsageError(
            f"the account has {plural(len(pumps), 'pump')} ({models}), and none has ever sent an event; "
            "upload the pump first, or sign in as the person who wears it"
        )
    return max(used, key=lambda pump: pump.latest)
