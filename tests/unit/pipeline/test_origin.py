"""Which windows a cassette can answer."""

import hashlib
import re
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from pipeline.receive.origin import Origin, from_cassette, recorded_windows
from pipeline.receive.pumps import Pump
from tandem.windows import Window
from tfx.errors import CassetteError, MismatchError, TfxError, UsageError
from tfx.exchange import Exchange, Request, Response
from tfx.reading import DIGEST, NO_DIGEST

SOURCE = "https://source.tandemdiabetes.com/api/reports"
LOGS = f"{SOURCE}/bff/pump-logs/a1?pumperId=p&startDate={{}}T00%3A00%3A00Z&endDate={{}}T23%3A59%3A59Z"
EVENTS = f"{SOURCE}/reportsfacade/pumpevents/p/100001?minDate={{}}&maxDate={{}}"


def asked(url: str, status: int = 200) -> Exchange:
    return Exchange(request=Request(method="GET", url=url), response=Response(status=status))


@pytest.mark.parametrize(("url", "key"), [(LOGS, "a1"), (EVENTS, "100001")])
def test_both_eras_requests_name_their_days(url: str, key: str) -> None:
    assert recorded_windows([asked(url.format("2024-07-01", "2024-07-03"))]) == (
        (key, Window(since=date(2024, 7, 1), until=date(2024, 7, 3))),
    )


@pytest.mark.parametrize(
    "exchange",
    [
        pytest.param(asked(LOGS.format("2024-07-01", "2024-07-03"), status=500), id="a request that failed"),
        pytest.param(asked(f"{SOURCE}/bff/pumper/p"), id="another endpoint"),
        pytest.param(asked("https://example.org/"), id="another service"),
    ],
)
def test_other_exchanges_name_none(exchange: Exchange) -> None:
    assert recorded_windows([exchange]) == ()


def test_a_window_asked_twice_is_one_window_of_its_pump() -> None:
    exchanges = [asked(LOGS.format("2024-07-01", "2024-07-03")) for _ in range(2)] + [asked(EVENTS.format("2024-07-01", "2024-07-03"))]
    origin = Origin(source=None, now=None, recorded=recorded_windows(exchanges))  # type: ignore[arg-type]  # neither is asked
    assert [str(window) for window in origin.windows_of(Pump(key="a1", serial_number="1"))] == ["2024-07-01 to 2024-07-03"]


def test_a_request_without_days_is_said() -> None:
    with pytest.raises(UsageError, match="asks pump-logs for no window of days"):
        recorded_windows([asked(f"{SOURCE}/bff/pump-logs/a1?pumperId=p")])


def test_what_was_asked_in_vain_is_told_at_the_end_even_if_it_was_swallowed(root: Path) -> None:
    with pytest.raises(MismatchError), from_cassette(str(root / "cassettes" / "session-us.json")) as origin, suppress(TfxError):
        origin.source.pump_logs("00000000-0000-4000-8000-00000000dead", Window(since=date(2024, 7, 1), until=date(2024, 7, 1)))


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        pytest.param(
            "session-us",
            rb'("currentGlucoseDisplayValue":)(\d+)',
            rb"\1\2,\g<1>300",
            "names a member twice",
            id="two values for one member",
        ),
        pytest.param("session-2025", rb'"[0-9a-f]{52}"', rb'""', "a body of exchange", id="an empty record"),
        pytest.param("session-2025", rb'"[0-9a-f]{52}"', rb"null", "a body of exchange", id="no record"),
    ],
)
def test_a_cassette_that_would_lose_an_event_unsaid_is_refused_by_name(
    name: str, old: bytes, new: bytes, told: str, root: Path, tmp_path: Path
) -> None:
    data, count = re.subn(old, new, (root / f"cassettes/{name}.json").read_bytes(), count=1)
    found = DIGEST.search(data)
    assert (found is not None, count) == (True, 1)
    assert found is not None
    blank = data[: found.start(1)] + NO_DIGEST + data[found.end(1) :]
    path = tmp_path / "edited.json"
    path.write_bytes(blank.replace(NO_DIGEST, hashlib.sha256(blank).hexdigest().encode(), 1))
    with pytest.raises(CassetteError, match=told) as refused, from_cassette(str(path)):
        pass
    assert str(path) in str(refused.value)
