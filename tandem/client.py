"""A client of Tandem Source, given a session and a clock. Sends what tconnectsync sends: 3.0.3 in the JSON eras, 2.3 in era 2025."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

import requests

from tandem.asking import Answer, Asker, blocked
from tandem.endpoints import BY_NAME
from tandem.eras import Era
from tandem.login import Identity, SignedIn, sign_in
from tandem.regions import Region
from tandem.windows import Window
from tfx.errors import AnswerError, LoginError, ServiceError, UsageError
from tfx.jsonbody import Json

OLD_ORIGIN: Final = "https://tconnect.tandemdiabetes.com"
"""What clients of era 2025 called their origin, before the firewall compared it (tconnectsync 2.3)."""


class TandemSource:
    """One account's view of the service. Building it does nothing; `log_in` first, then ask.

    Args:
        session: carries every request; proxies and trusted certificates come from it and from the environment.
        region: which cloud.
        era: which state of the API.
        clock: says now (aware), for the times of the id_token and `Retry-After`.
        sleep: waits so many seconds between attempts.
        entropy: random bytes for the PKCE verifier.
        discovers: also ask for the OIDC discovery document when signing in.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        region: Region,
        era: Era,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        entropy: Callable[[int], bytes] = os.urandom,
        discovers: bool = False,
    ) -> None:
        self.region = region
        self.era = era
        self._asker = Asker(session, region=region, clock=clock, sleep=sleep)
        self._entropy = entropy
        self._discovers = discovers
        self._credentials: tuple[str, str] | None = None
        self._signed_in: SignedIn | None = None

    def __repr__(self) -> str:
        return f"TandemSource({self.region.name}, {self.era.name})"

    def log_in(self, email: str, password: str) -> Identity:
        """Sign in; the credentials are kept in memory to sign in again when the token expires.

        Raises:
            LoginError: e-mail, password or region are wrong.
            BlockedError, NetworkError, ServiceError: the firewall, the network, the service.
        """
        self._signed_in = sign_in(self._asker, email, password, era=self.era, discovers=self._discovers, entropy=self._entropy)
        self._credentials = (email, password)
        return self._signed_in.identity

    @property
    def identity(self) -> Identity:
        """Who is signed in; UsageError before `log_in`."""
        return self._token().identity

    def pumper(self) -> dict[str, Json]:
        """The profile and every pump ever on the account (JSON eras); retired and never used ones carry nulls."""
        return _mapping(self._get("pumper", pumperId=self.identity.pumper_id))

    def pumpers(self) -> dict[str, Json]:
        """The account: e-mail, role and devices (every era)."""
        return _mapping(self._get("pumpers", pumperId=self.identity.pumper_id))

    def pump_logs(self, assignment_id: str, window: Window, codes: Iterable[int] | None = None) -> bytes:
        """The events of one window as the JSON text `{"events": [...], "clockChanges": [...]}` (JSON eras); no codes means all types."""
        query = {
            "pumperId": self.identity.pumper_id,
            "startDate": f"{window.since}T00:00:00Z",
            "endDate": f"{window.until}T23:59:59Z",
        }
        if codes is not None:
            query[self.era.events_key] = ",".join(map(str, codes))
        return self._whole(self._get("pump-logs", query, assignmentId=assignment_id), "{}")

    def pump_event_metadata(self) -> list[dict[str, Json]]:
        """The pumps with the span of their events (era 2025)."""
        answer = self._get("pump-event-metadata", pumperId=self.identity.pumper_id)
        said = answer.json()
        if not isinstance(said, list) or not all(isinstance(item, dict) for item in said):
            raise _strange(answer)
        return [item for item in said if isinstance(item, dict)]

    def pump_events(self, device_id: int | str, window: Window, ids: Iterable[int] | None = None) -> bytes:
        """The events of one window as the JSON text of one string, base64 of 26-byte records (era 2025); no ids means all types."""
        query = {"minDate": str(window.since), "maxDate": str(window.until)}
        if ids is not None:
            query[self.era.events_key] = ",".join(map(str, ids))
        answer = self._get("pump-events", query, pumperId=self.identity.pumper_id, tconnectDeviceId=str(device_id))
        return self._whole(answer, '""')

    def _token(self) -> SignedIn:
        if self._signed_in is None:
            raise UsageError("nobody is signed in to Tandem Source; call log_in first")
        return self._signed_in

    def _get(self, name: str, query: Mapping[str, str] | None = None, **places: str) -> Answer:
        endpoint = BY_NAME[name]
        if self.era.name not in endpoint.eras:
            raise UsageError(f"{name} does not exist in era {self.era.name}; it belongs to {', '.join(sorted(endpoint.eras))}")
        url = endpoint.url(self.region, **{key: quote(value, safe="") for key, value in places.items()})
        url += f"?{urlencode(query)}" if query else ""
        answer = self._asker.ask(name, "GET", url, headers=self._headers(), cookies=False)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._credentials is not None:
            self.log_in(*self._credentials)
            answer = self._asker.ask(name, "GET", url, headers=self._headers(), cookies=False)
        if answer.status != HTTPStatus.OK:
            raise _refusal(answer, self.era)
        return answer

    def _headers(self) -> dict[str, str]:
        origin = self.region.source_url.rstrip("/") if self.era.wants_same_origin else OLD_ORIGIN
        return {"Authorization": f"Bearer {self._token().access_token}", "Origin": origin, "Referer": f"{origin}/"}

    @staticmethod
    def _whole(answer: Answer, ends: str) -> bytes:
        """The body, if it begins and ends as it should: a cut that no length gave away is not handed on as an answer."""
        body = answer.body.strip()
        if answer.is_page:
            raise blocked(answer.what)
        if len(body) < len(ends) or (body[:1] + body[-1:]).decode("latin-1") != ends:
            raise _strange(answer)
        return answer.body


def _mapping(answer: Answer) -> dict[str, Json]:
    said = answer.json()
    if not isinstance(said, dict):
        raise _strange(answer)
    return said


def _strange(answer: Answer) -> AnswerError:
    return AnswerError(
        f"Tandem Source answered {answer.what} with data of another shape than any known era; try again, then see `tfx verify`",
        answer.body,
    )


def _refusal(answer: Answer, era: Era) -> ServiceError:
    """The error for a status that is neither success nor passing."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return LoginError(
            f"Tandem Source refuses for {answer.what} the token it has just issued; sign in once with a browser, then try again"
        )
    if answer.status == HTTPStatus.FORBIDDEN:
        return blocked(answer.what)
    if answer.status == HTTPStatus.NOT_FOUND:
        return ServiceError(
            f"Tandem Source has no {answer.what} for this account (404). Either the API of era {era.name} is no longer there: "
            "choose another with --era; or the account has no pumps of its own (a guardian's): sign in as the person who wears the pump"
        )
    if answer.status == HTTPStatus.BAD_REQUEST and (b"unrecognized_keys" in answer.body or b"ZodError" in answer.body):
        return ServiceError(
            f"Tandem Source does not know a query key of {answer.what} (ZodError): the API is not in era {era.name}; "
            "choose another with --era"
        )
    return ServiceError(
        f"Tandem Source refused {answer.what} with status {answer.status}; check the dates asked for, and --era ({era.name})"
    )
