"""A tiny account whose every record is known, and the stand-in that serves it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest

from simulator.account import Account, account
from simulator.service import Service
from simulator.session import Walk
from tandem.clock import PUMP_EPOCH
from tandem.eras import CURRENT, ERAS
from tandem.faults import Fault
from tandem.records import Records
from tandem.regions import REGIONS
from tfx.codec import decoded
from tfx.exchange import Headers, Request, Response

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
USED = "11111111-1111-4111-8111-111111111111"
NEVER_UPLOADED = "22222222-2222-4222-8222-222222222222"
PUMPER = "33333333-3333-4333-8333-333333333333"
HISTORY = (
    # code, pump wall clock
    (13, "2026-10-01T09:00:00"),
    (11, "2026-11-01T00:00:00"),
    (12, "2026-11-01T23:59:59"),
    (14, "2026-11-02T02:00:00"),
    (11, "2026-11-02T06:00:00"),
    (4000, "2026-11-02T07:00:00"),  # a type nobody knows
)


def history() -> Records:
    """The records of HISTORY, sequence numbers from 100."""
    rows = np.zeros((len(HISTORY), 26), np.uint8)
    for row, (code, moment) in enumerate(HISTORY):
        seconds = (datetime.fromisoformat(moment) - PUMP_EPOCH) // timedelta(seconds=1)
        rows[row, :10] = list(code.to_bytes(2, "big") + seconds.to_bytes(4, "big") + (100 + row).to_bytes(4, "big"))
    return Records.parse(rows.tobytes())


@cache
def _generated(region: str, *, guardian: bool) -> Account:
    return account(now=NOW, days=0.25, region=region, guardian=guardian)


def person(*, region: str = "us", role: str = "personal_standard") -> Account:
    """An account with one pump in use and one that never uploaded."""
    made = _generated(region, guardian=role == "personal_guardian")
    used = replace(
        made.current,
        assignment_id=USED,
        tconnect_device_id=378904,
        model_name="t:slim X2™ Insulin Pump",
        algorithm="Control-IQ",
        records=history(),
        last_upload=datetime(2026, 11, 2, 7, 30, 12, 430_000, tzinfo=UTC),
        assigned_at=datetime(2026, 9, 1, 12, 24, 16, 63_000, tzinfo=UTC),
        settings={"id": "a", "details": {"profiles": {"profile": [{"name": "José"}]}}},
        legacy_settings={"profiles": {"activeIdp": 0}},
    )
    unused = replace(
        used,
        assignment_id=NEVER_UPLOADED,
        tconnect_device_id=378905,
        model_name="Tandem Mobi™ System",
        software_version=None,
        algorithm=None,
        records=Records.parse(b""),
        last_upload=None,
        settings=None,
        legacy_settings=None,
    )
    return replace(
        made,
        email="jose.muller@example.org",
        password='p&=%+"\\ €',
        given_name="José",
        family_name="Müller",
        date_of_birth=date(1980, 2, 29),
        pumper_id=PUMPER,
        country="US",
        role=role,
        low_glucose=70,
        high_glucose=180,
        devices=(unused, used),
    )


class Client:
    """A client of one service, signed in unless told otherwise; data calls carry what the era wants."""

    def __init__(self, service: Service, era: str, region: str) -> None:
        self.service, self.region = service, REGIONS[region]
        self.walk = Walk(service, ERAS[era], self.region)
        self.bearer = ""

    def sign_in(self) -> "Client":
        """The whole way to a bearer token."""
        self.walk.sign_in(self.service.account.email, self.service.account.password)
        self.bearer = self.walk.bearer
        return self

    def send(self, method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Response:
        """One request as it is."""
        return self.service.answer(Request(method=method, url=url, headers=Headers(headers), body=body))

    def ask(self, path: str, *, query: Sequence[tuple[str, str]] = (), **headers: str | None) -> Response:
        """GET on the data host; a header given as None is left out, underscores stand for dashes."""
        source = self.region.source_url
        lines: dict[str, str | None] = {"Authorization": f"Bearer {self.bearer}", "Origin": source.rstrip("/"), "Referer": source}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = [(name, value) for name, value in lines.items() if value is not None]
        return self.send("GET", f"{source}{path}{'?' if query else ''}{urlencode(query)}", sent)


ClientOf = Callable[..., Client]


@pytest.fixture
def client() -> ClientOf:
    """A client of a new stand-in: `client(era=..., region=..., now=..., faults=..., signed_in=..., role=...)`."""

    def client_of(
        *,
        era: str = CURRENT,
        region: str = "us",
        now: datetime | Callable[[], datetime] = NOW,
        faults: Sequence[Fault] = (),
        signed_in: bool = True,
        role: str = "personal_standard",
    ) -> Client:
        made = Client(Service(person(region=region, role=role), era=era, now=now, faults=faults), era, region)
        return made.sign_in() if signed_in else made

    return client_of


@pytest.fixture
def text() -> Callable[[Response], str]:
    """What a client reads in a response."""
    return lambda response: decoded(response.headers, response.body).decode()


@pytest.fixture
def query_of() -> Callable[[str], dict[str, list[str]]]:
    """The query of a URL, taken apart."""
    return lambda url: parse_qs(urlsplit(url).query, keep_blank_values=True)
