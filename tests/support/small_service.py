"""A minimal service for client tests: requests-mock responses, and a list of the requests sent."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
import requests_mock

from tandem.client import TandemSource
from tandem.eras import ERAS
from tandem.regions import REGIONS, client_id_of
from tfx.jsonbody import Json
from tfx.signing import jwks, sign

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
EMAIL, PASSWORD = "someone@example.org", 'p&=%+"\\€'
PUMPER, ACCOUNT, ASSIGNMENT = "pumper-77aa", "account-88bb", "assignment-99cc"


def claims(region: str = "us", era: str = "2026-10", **others: Json) -> dict[str, Json]:
    """Valid claims of an id_token."""
    where, seconds = REGIONS[region], int(NOW.timestamp())
    usual: dict[str, Json] = {
        "iss": where.issuer,
        "aud": client_id_of(where, era),
        "iat": seconds - 5,
        "nbf": seconds - 5,
        "exp": seconds + 300,
        "pumperId": PUMPER,
        "accountId": ACCOUNT,
    }
    return {key: value for key, value in (usual | others).items() if value is not None}


@dataclass
class World:
    """The service, its client, and what happened between them."""

    region: str
    era: str
    adapter: requests_mock.Adapter = field(default_factory=requests_mock.Adapter)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        where = REGIONS[self.region]
        self.api, self.source = where.issuer, where.source_url
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self.adapter)
        self.session = session
        self.client = TandemSource(
            session, region=where, era=ERAS[self.era], clock=lambda: NOW, sleep=self.pauses.append, entropy=lambda n: b"\7" * n
        )
        landing = f"{where.redirect_uri}?code=code-1&scope=openid"
        self.on("GET", "https://sso.tandemdiabetes.com/", text="<html>", headers={"Set-Cookie": "sso=cookie-1; Path=/"})
        self.on(
            "POST", f"{self.api}/login", json={"redirectUrl": "/", "status": "SUCCESS"}, headers={"Set-Cookie": "idsrv=cookie-2; Path=/"}
        )
        self.on("GET", f"{self.api}/connect/authorize", status_code=302, headers={"Location": landing})
        self.on("GET", where.redirect_uri, text="<html>")
        self.signs(claims(self.region, self.era))
        self.on("GET", f"{self.api}/.well-known/openid-configuration/jwks", json=jwks())
        self.on("GET", f"{self.api}/.well-known/openid-configuration", json={"issuer": self.api})
        self.on("GET", f"{self.source}api/reports/bff/pumper/{PUMPER}", json={"pumps": []})
        self.on("GET", f"{self.source}api/pumpers/pumpers/{PUMPER}", json={"id": PUMPER})
        self.on("GET", f"{self.source}api/reports/bff/pump-logs/{ASSIGNMENT}", json={"events": [], "clockChanges": []})
        self.on("GET", f"{self.source}api/reports/reportsfacade/{PUMPER}/pumpeventmetadata", json=[{"tconnectDeviceId": 1}])
        self.on("GET", f"{self.source}api/reports/reportsfacade/pumpevents/{PUMPER}/1", json="")

    def signs(self, told: dict[str, Json]) -> None:
        """The token endpoint hands out an id_token of these claims."""
        self.on("POST", f"{self.api}/connect/token", json={"access_token": "bearer-1", "id_token": sign(told), "expires_in": 28800})

    def on(self, method: str, url: str, *answers: dict[str, object], **answer: object) -> None:
        """What the service answers there from now on: one answer for ever, or several in turn."""
        self.adapter.register_uri(method, url, list(answers) or [answer])

    def log_in(self) -> TandemSource:
        """The client, signed in."""
        self.client.log_in(EMAIL, PASSWORD)
        return self.client

    @property
    def sent(self) -> list[requests.PreparedRequest]:
        """Every request, in order."""
        return [asked._request for asked in self.adapter.request_history]  # the library keeps its own wrapper
