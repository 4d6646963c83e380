"""A whole session with the simulated service, without sockets: the capture that recording it would give. Pure.

The requests are those of tconnectsync 3 (era 2025: of 2.3), in the order the recorder walks.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from simulator.account import Account, Device
from simulator.entropy import Entropy
from simulator.key import challenge_of
from simulator.service import Service
from tandem.endpoints import BY_NAME, locate
from tandem.eras import CURRENT, ERAS, Era
from tandem.faults import Fault
from tandem.regions import REGIONS, SSO_URL, Region, client_id_of
from tfx.capture import Capture, Seen
from tfx.codec import decoded
from tfx.errors import LoginError
from tfx.exchange import Exchange, Headers, Request, Response

AGENT: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:101.0) Gecko/20100101 Firefox/101.0"
SCOPE: Final = "openid profile email"


def captured_session(
    account: Account,
    era: str = CURRENT,
    region: str | None = None,
    now: datetime | None = None,
    *,
    days: int | None = None,
    faults: Sequence[Fault] = (),
) -> Capture:
    """Sign in, ask for the account, then for the events of the pump used last, window by window.

    `now` defaults to the pump's last upload; `days` back from it bound the windows, default everything the pump has.
    """
    device = account.current
    clock = now or device.last_upload
    assert clock is not None  # a pump that was used last has uploaded
    home = region or account.region
    service = Service(account, era=era, region=home, now=clock, faults=faults)
    walk = Walk(service, ERAS[era], REGIONS[home])
    walk.sign_in(account.email, account.password)
    walk.read_account(account.pumper_id)
    for first, last in windows(device, clock, days, ERAS[era].max_window_days):
        walk.read_window(account.pumper_id, device, first, last)
    seen = (*service.secrets(), *walk.seen)
    return Capture(exchanges=tuple(walk.exchanges), era=era, region=home, clock=clock, seen=seen)


def windows(device: Device, clock: datetime, days: int | None, longest: int) -> Iterator[tuple[date, date]]:
    """Whole days, both ends included, at most `longest` in a window, from the pump's first day to the clock's day."""
    last = clock.date()
    # A factory clock dates a pump's first records years too early; its assignment to the account does not.
    first = device.assigned_at.date() if days is None else last - timedelta(days=days - 1)
    while first <= last:
        end = min(first + timedelta(days=longest - 1), last)
        yield first, end
        first = end + timedelta(days=1)


class Walk:
    """A client's side of the session: it keeps cookies and writes every exchange down."""

    def __init__(self, service: Service, era: Era, region: Region) -> None:
        self.exchanges: list[Exchange] = []
        self.seen: list[Seen] = []
        self._service, self._era, self._region = service, era, region
        self._cookies: dict[tuple[str, str], str] = {}
        self.bearer = ""
        self._entropy = Entropy(f"client of {service.account.subject}")

    def sign_in(self, email: str, password: str) -> None:
        """Page, password, authorization, tokens, keys."""
        region, referer = self._region, ("Referer", SSO_URL)
        verifier = self._entropy.text(64)
        self.seen += [Seen(kind="code verifier", value=verifier), Seen(kind="code challenge", value=challenge_of(verifier))]
        self._must(200, "GET", SSO_URL)
        body = json.dumps({"username": email, "password": password}).encode()
        self._must(200, "POST", BY_NAME["login"].url(region), (referer, ("Content-Type", "application/json")), body)
        client_id = client_id_of(region, self._era.name)
        query = {
            "client_id": client_id,
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": region.redirect_uri,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        found = self._must(302, "GET", f"{BY_NAME['authorize'].url(region)}?{urlencode(query)}", (referer,))
        location = found.headers.get("Location")
        self._must(200, "GET", location, (referer,))
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": parse_qs(urlsplit(location).query)["code"][0],
            "redirect_uri": region.redirect_uri,
            "code_verifier": verifier,
        }
        form_type = ("Content-Type", "application/x-www-form-urlencoded")
        tokens = self._must(200, "POST", BY_NAME["token"].url(region), (form_type,), urlencode(form).encode())
        self.bearer = json.loads(decoded(tokens.headers, tokens.body))["access_token"]
        self._must(200, "GET", BY_NAME["discovery"].url(region))
        self._must(200, "GET", BY_NAME["jwks"].url(region))

    def read_account(self, pumper_id: str) -> None:
        """The pumps, then the person."""
        first = "pumper" if self._era.wire == "json" else "pump-event-metadata"
        for name in (first, "pumpers"):
            self._ask(BY_NAME[name].url(self._region, pumperId=pumper_id))

    def read_window(self, pumper_id: str, device: Device, first: date, last: date) -> None:
        """The events of every type of some whole days."""
        if self._era.wire == "json":
            url = BY_NAME["pump-logs"].url(self._region, assignmentId=device.assignment_id)
            query = {"pumperId": pumper_id, "startDate": f"{first}T00:00:00Z", "endDate": f"{last}T23:59:59Z"}
        else:
            url = BY_NAME["pump-events"].url(self._region, pumperId=pumper_id, tconnectDeviceId=str(device.tconnect_device_id))
            query = {"minDate": str(first), "maxDate": str(last)}
        self._ask(f"{url}?{urlencode(query)}")

    def _must(self, status: int, method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Response:
        response = self._send(method, url, headers, body)
        if response.status != status:
            place = locate(method, url)
            step = place.endpoint.name if place else "an unknown place"
            raise LoginError(f"the sign-in failed at {step} with {response.status}; leave the faults of the sign-in out")
        return response

    def _ask(self, url: str) -> Response:
        source = self._region.source_url
        bearer = ("Authorization", f"Bearer {self.bearer}")
        return self._send("GET", url, (bearer, ("Origin", source.rstrip("/")), ("Referer", source)), cookies=False)

    def _send(
        self, method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"", *, cookies: bool = True
    ) -> Response:
        lines = [("User-Agent", AGENT), ("Accept-Encoding", "gzip, deflate"), ("Accept", "*/*"), ("Connection", "keep-alive"), *headers]
        if body:
            lines.append(("Content-Length", str(len(body))))
        host = urlsplit(url).netloc
        pairs = [f"{name}={value}" for (home, name), value in self._cookies.items() if f".{host}".endswith(home)] if cookies else []
        if pairs:
            lines.append(("Cookie", "; ".join(pairs)))
        request = Request(method=method, url=url, headers=Headers(lines), body=body)
        response = self._service.answer(request)
        self.exchanges.append(Exchange(request=request, response=response))
        for line in response.headers.all("Set-Cookie") if cookies else ():
            pair, *rest = (part.strip() for part in line.split(";"))
            name, _, value = pair.partition("=")
            domain = next((part.partition("=")[2] for part in rest if part.lower().startswith("domain=")), host)
            if value:
                self._cookies[f".{domain.lstrip('.')}", name] = value
        return response
