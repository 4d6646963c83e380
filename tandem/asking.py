"""Send one request, retrying what passes: the only module of `tandem` that touches the network, through the session it is given.

No error made here quotes a URL, a header or a body: each of them may carry a token, an id or a name. Library exceptions are turned into
ours outside their handler, so that they do not travel along as `__context__`.
"""

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from tandem.regions import Region
from tfx.errors import BlockedError, FormatError, NetworkError, ServiceError, UsageError
from tfx.jsonbody import Json, parse

USER_AGENT: Final = "tfx/0.1"
PATIENCE: Final = 5
"""How often one request is sent before we give up."""
LONGEST_WAIT: Final = 120.0
"""Seconds. A service that asks for more is not worth waiting for in a program somebody looks at."""
PASSING: Final = frozenset({429, 500, 502, 503, 504})
TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect, and between two bytes."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """A whole response: what the service said to one question. Never prints it."""

    what: str
    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.what}, {self.status}, {len(self.body)} bytes)"

    @property
    def is_success(self) -> bool:
        """Whether the status says all went well."""
        return self.status // 100 == 2  # noqa: PLR2004  # the 2xx class

    @property
    def is_page(self) -> bool:
        """Whether the body is a web page rather than data."""
        return self.body.lstrip()[:1] == b"<"

    def json(self) -> Json:
        """The body as JSON.

        Raises:
            BlockedError: a web page came instead, as the firewall sends also with status 200.
            ServiceError: it is not JSON.
        """
        if self.is_page:
            raise blocked(self.what)
        try:
            return parse(self.body)
        except FormatError as error:
            reason = str(error)
        raise ServiceError(f"Tandem Source answered {self.what} with something that is not JSON ({reason}); try again later")


class Asker:
    """Asks with the session given, `PATIENCE` times at most, doubling the pause after a passing fault.

    `clock` says now (aware), against which a `Retry-After` date is read; `sleep` waits seconds.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        region: Region,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.session = session
        self.region = region
        self.clock = clock
        self._sleep = sleep
        self._has_met = False

    def __repr__(self) -> str:
        return f"Asker({self.region.name})"

    def ask(
        self,
        what: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
        follow: bool = True,
        cookies: bool = True,
    ) -> Answer:
        """The first answer that is not a passing fault; `what` is the word errors use for the question.

        Raises:
            NetworkError: no whole answer came back in `PATIENCE` attempts.
            ServiceError: only passing faults (429, 5xx) came back.
        """
        request = requests.Request(method, url, headers={"User-Agent": USER_AGENT, **headers}, data=form, json=body)
        trouble: str | int = ""
        pause = 0.0
        for attempt in range(PATIENCE):
            if attempt:
                self._sleep(pause)
            got = self._send(request, follow=follow, cookies=cookies, what=what)
            if isinstance(got, Answer) and got.status not in PASSING:
                self._has_met = True
                return got
            trouble = got.status if isinstance(got, Answer) else got
            self._has_met = self._has_met or isinstance(got, Answer)
            if trouble == NO_SUCH_NAME and not self._has_met:
                break  # no network at all: waiting for it in silence helps nobody
            pause = self._pause(attempt, got)
            if pause > LONGEST_WAIT:
                raise ServiceError(
                    f"Tandem Source asks to be left alone for {pause:.0f} s (status {trouble} to {what}); try again after that"
                )
        if isinstance(trouble, int):
            raise ServiceError(f"Tandem Source answered {what} with status {trouble} {PATIENCE} times in a row; try again later")
        raise NetworkError(f"{self._host(url)} did not answer {what}: {trouble}; check the network and HTTPS_PROXY, then try again")

    def _send(self, request: requests.Request, *, follow: bool, cookies: bool, what: str) -> Answer | str:
        """The answer, or in a few words why there is none."""
        prepared = self.session.prepare_request(request)
        if not cookies:
            # tconnectsync 3 opens a new session for every data call: the sign-in cookies stay behind.
            prepared.headers.pop("Cookie", None)
        # prepare() always sets the URL; the session's own request() does the same merge.
        settings = self.session.merge_environment_settings(str(prepared.url), {}, None, None, None)
        try:
            response = self.session.send(prepared, allow_redirects=follow, timeout=TIMEOUT, **settings)
        except requests.RequestException as error:
            return _in_words(error)
        except OSError as error:
            # requests says so when the certificate file it is to trust is not there, as after the stand-in has gone. Any other has
            # another reason: a full disk where the exchange was to be kept, say.
            trusted = settings["verify"]
            if not isinstance(trusted, str) or not (error.filename == trusted or str(error).endswith(trusted)):
                raise
            raise UsageError(
                "the file of certificates to trust cannot be read; see REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, or unset them"
            ) from None
        with response:
            return Answer(what=what, status=response.status_code, url=response.url, headers=response.headers, body=response.content)

    def _pause(self, attempt: int, got: Answer | str) -> float:
        asked = got.headers.get("Retry-After", "") if isinstance(got, Answer) else ""
        return max(retry_after(asked, self.clock()), float(2**attempt))

    def _host(self, url: str) -> str:
        return next((host for host in self.region.hosts.values() if host == url.split("/")[2]), "the service")


NO_SUCH_NAME: Final = "its name cannot be looked up"
FAULTS: Final = (
    # Most particular first: each is also an instance of what follows it.
    (requests.exceptions.ProxyError, "the proxy cannot be reached"),
    (requests.exceptions.SSLError, "its certificate is not trusted (behind a company proxy set REQUESTS_CA_BUNDLE)"),
    (requests.exceptions.Timeout, "the time ran out"),
    (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
    (requests.exceptions.ContentDecodingError, "the answer broke off"),
    (requests.exceptions.TooManyRedirects, "it redirects in a circle"),
    (requests.exceptions.ConnectionError, "no connection, or it was reset"),
)


def _in_words(error: requests.RequestException) -> str:
    # The library's own text holds the URL, and with it ids and codes.
    if type(error) is requests.exceptions.ConnectionError and _is_about_a_name(error):
        return NO_SUCH_NAME
    return next((words for kind, words in FAULTS if isinstance(error, kind)), "the request could not be sent")


def _is_about_a_name(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False


def retry_after(value: str, now: datetime) -> float:
    """The seconds a `Retry-After` header asks for (a number or an HTTP date); 0 where it says nothing sensible."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def blocked(what: str) -> BlockedError:
    """The error for a firewall page."""
    return BlockedError(
        f"the firewall in front of Tandem Source blocked {what}; wait some minutes before the next try, and go out through a home "
        "connection rather than a cloud server or a VPN, whose addresses it refuses"
    )
