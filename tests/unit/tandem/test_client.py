"""What the client sends, what it makes of answers, and what its errors say."""

import errno
import io
import socket
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from tandem.asking import PATIENCE, Asker, retry_after
from tandem.regions import REGIONS
from tandem.windows import Window
from tfx.errors import BlockedError, LoginError, NetworkError, ServiceError, TfxError, UsageError

if TYPE_CHECKING:
    from small_service import World

NOW_TEXT = "Wed, 18 Nov 2026 20:30:07 GMT"
PUMPER, ASSIGNMENT = "pumper-77aa", "assignment-99cc"
WEEK = Window(since=date(2026, 11, 12), until=date(2026, 11, 18))
SECRETS = ("someone@example.org", 'p&=%+"', "bearer-1", "code-1", "cookie-1", "cookie-2", PUMPER, "account-88bb", ASSIGNMENT, "quoted")
LOGS = f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ASSIGNMENT}"

MakeWorld = Callable[..., "World"]


def test_building_a_client_asks_nothing(world: MakeWorld) -> None:
    there = world()
    assert there.sent == []
    with pytest.raises(UsageError, match="nobody is signed in to Tandem Source; call log_in first"):
        there.client.pumper()
    assert there.sent == []


@pytest.mark.parametrize(
    ("region", "era", "origin"),
    [
        ("us", "2026-10", "https://source.tandemdiabetes.com"),
        ("eu", "2026-07", "https://source.eu.tandemdiabetes.com"),
        ("us", "2025", "https://tconnect.tandemdiabetes.com"),
    ],
)
def test_data_is_asked_for_as_the_client_of_that_era_does(world: MakeWorld, region: str, era: str, origin: str) -> None:
    there = world(region, era)
    client = there.log_in()
    there.session.cookies.set("idsrv", "cookie-2", domain=".tandemdiabetes.com")
    client.pumpers()
    headers = there.sent[-1].headers
    assert dict(headers) == {
        "User-Agent": "tfx/0.1",
        "Accept-Encoding": headers["Accept-Encoding"],
        "Accept": "*/*",
        "Connection": "keep-alive",
        "Authorization": "Bearer bearer-1",
        "Origin": origin,
        "Referer": f"{origin}/",
    }
    assert there.sent[-1].body is None


@pytest.mark.parametrize(
    ("era", "codes", "query", "why"),
    [
        ("2026-10", None, "", "no codes: every type"),
        ("2026-10", (229, 5), "&eventCodes=229%2C5", "the key since October 2026"),
        ("2026-07", (229, 5), "&eventIds=229%2C5", "the key before"),
        ("2026-10", (), "&eventCodes=", "what tconnectsync 3.0.3 sends for all"),
    ],
)
def test_pump_logs_are_asked_for_with_the_query_of_tconnectsync_3(world: MakeWorld, era: str, codes: Any, query: str, why: str) -> None:
    there = world(era=era)
    assert there.log_in().pump_logs(ASSIGNMENT, WEEK, codes) == b'{"events": [], "clockChanges": []}'
    usual = f"pumperId={PUMPER}&startDate=2026-11-12T00%3A00%3A00Z&endDate=2026-11-18T23%3A59%3A59Z"
    assert there.sent[-1].url == f"{LOGS}?{usual}{query}", why


@pytest.mark.parametrize(("ids", "query"), [(None, ""), ((229, 5), "&eventIds=229%2C5")])
def test_pump_events_are_asked_for_with_the_query_of_tconnectsync_2(world: MakeWorld, ids: Any, query: str) -> None:
    there = world(era="2025")
    client = there.log_in()
    assert client.pump_event_metadata() == [{"tconnectDeviceId": 1}]
    assert client.pump_events(1, WEEK, ids) == b'""'
    assert urlsplit(str(there.sent[-1].url)).query == f"minDate=2026-11-12&maxDate=2026-11-18{query}"


def test_an_endpoint_of_another_era_is_not_asked(world: MakeWorld) -> None:
    client = world(era="2025").log_in()
    with pytest.raises(UsageError, match="pumper does not exist in era 2025; it belongs to 2026-07, 2026-10"):
        client.pumper()


def test_an_expired_token_is_renewed_once(world: MakeWorld) -> None:
    there = world()
    there.on("GET", LOGS, {"status_code": 401}, {"json": {"events": []}})
    client = there.log_in()
    assert client.pump_logs(ASSIGNMENT, WEEK) == b'{"events": []}'
    assert sum(str(request.url).endswith("/login") for request in there.sent) == 2
    there.on("GET", LOGS, status_code=401)
    with pytest.raises(LoginError, match="refuses for pump-logs the token it has just issued"):
        client.pump_logs(ASSIGNMENT, WEEK)
    assert sum(str(request.url).endswith("/login") for request in there.sent) == 3


GOOD: dict[str, object] = {"json": {"events": []}}


@pytest.mark.parametrize(
    ("fault", "pauses", "why"),
    [
        ({"status_code": 500}, [1.0], "sporadic 500s are told of"),
        ({"status_code": 503, "headers": {"Retry-After": "9"}}, [9.0], "the service says how long"),
        ({"status_code": 429, "headers": {"Retry-After": NOW_TEXT}}, [7.0], "or until when"),
        ({"status_code": 429, "headers": {"Retry-After": "soon"}}, [1.0], "or nothing sensible"),
        ({"exc": requests.exceptions.ConnectionError}, [1.0], "a reset"),
        ({"exc": requests.exceptions.ReadTimeout}, [1.0], "silence"),
        ({"exc": requests.exceptions.ChunkedEncodingError}, [1.0], "a body that breaks off"),
    ],
)
def test_passing_faults_are_waited_out(world: MakeWorld, fault: dict[str, object], pauses: list[float], why: str) -> None:
    there = world()
    there.on("GET", LOGS, fault, GOOD)
    assert there.log_in().pump_logs(ASSIGNMENT, WEEK) == b'{"events": []}', why
    assert there.pauses == pauses


def test_the_pause_doubles_and_then_patience_ends(world: MakeWorld) -> None:
    there = world()
    there.on("GET", LOGS, status_code=502, text="quoted")
    client = there.log_in()
    with pytest.raises(ServiceError, match=f"answered pump-logs with status 502 {PATIENCE} times in a row"):
        client.pump_logs(ASSIGNMENT, WEEK)
    assert there.pauses == [1.0, 2.0, 4.0, 8.0]


def test_a_service_that_wants_an_hour_is_not_waited_for(world: MakeWorld) -> None:
    there = world()
    there.on("GET", LOGS, status_code=429, headers={"Retry-After": "3600"})
    client = there.log_in()
    with pytest.raises(ServiceError, match="asks to be left alone for 3600 s"):
        client.pump_logs(ASSIGNMENT, WEEK)
    assert there.pauses == []


WAF = {"status_code": 403, "text": "<html>The request is blocked. quoted</html>"}
ZOD = {"status_code": 400, "json": {"name": "ZodError", "issues": [{"code": "unrecognized_keys"}], "quoted": 1}}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (WAF, BlockedError, "the firewall in front of Tandem Source blocked pump-logs; wait some minutes"),
        ({"text": "<html>quoted"}, BlockedError, "the firewall in front of Tandem Source blocked pump-logs"),
        ({"status_code": 404, "text": "<html>quoted"}, ServiceError, "no pump-logs for this account (404). Either the API of era 2026-10"),
        (ZOD, ServiceError, "(ZodError): the API is not in era 2026-10; choose another with --era"),
        ({"status_code": 400, "json": "quoted"}, ServiceError, "refused pump-logs with status 400; check the dates"),
        ({"status_code": 418, "text": "quoted"}, ServiceError, "refused pump-logs with status 418"),
        ({"text": '{"events": ["quoted"'}, ServiceError, "with data of another shape"),
        ({"text": ""}, ServiceError, "with data of another shape"),
        (
            {"exc": requests.exceptions.ConnectionError("quoted")},
            NetworkError,
            "did not answer pump-logs: no connection, or it was",
        ),
        ({"exc": requests.exceptions.ProxyError("quoted")}, NetworkError, "the proxy cannot be reached; check the network and HTTPS_PROXY"),
        ({"exc": requests.exceptions.SSLError("quoted")}, NetworkError, "its certificate is not trusted"),
    ],
)
def test_refusals_say_what_and_what_next_and_quote_nothing(
    world: MakeWorld, answer: dict[str, object], kind: type[TfxError], words: str
) -> None:
    there = world()
    there.on("GET", LOGS, **answer)
    client = there.log_in()
    with pytest.raises(kind) as caught:
        client.pump_logs(ASSIGNMENT, WEEK)
    assert words in str(caught.value)
    assert caught.value.exit_code == 3
    assert not [secret for secret in SECRETS if secret in repr(caught.value)]
    assert caught.value.__context__ is None


def test_only_the_file_of_certificates_is_told_to_be_that(world: MakeWorld) -> None:
    there = world()
    there.session.verify = "/no such: file.pem"
    full = OSError(errno.ENOSPC, "No space left on device", "/state")
    there.on("GET", LOGS, {"exc": full}, {"exc": OSError("Could not find a TLS CA certificate bundle, invalid path: /no such: file.pem")})
    client = there.log_in()
    with pytest.raises(OSError, match="No space left") as caught:
        client.pump_logs(ASSIGNMENT, WEEK)
    assert caught.value is full
    with pytest.raises(UsageError, match="the file of certificates to trust cannot be read"):
        client.pump_logs(ASSIGNMENT, WEEK)


def test_nothing_prints_what_it_holds(world: MakeWorld) -> None:
    client = world().log_in()
    assert repr(client) == "TandemSource(us, 2026-10)"
    assert repr(client.identity) == "Identity()"
    assert not [secret for secret in SECRETS if secret in f"{client._signed_in!r}{client._asker!r}"]


@pytest.mark.parametrize(("value", "seconds"), [("", 0), ("-3", 0), ("12", 12), ("never", 0), ("Wed, 18 Nov 2026 20:29:00 GMT", 0)])
def test_retry_after_is_read_or_ignored(world: MakeWorld, value: str, seconds: float) -> None:
    assert retry_after(value, world().client._asker.clock()) == seconds


@pytest.mark.parametrize(("meets", "pauses"), [(0, 0), (1, 4)])
def test_without_a_network_nobody_waits_but_a_service_that_was_there_is_waited_for(meets: int, pauses: int) -> None:
    class Nowhere(requests.adapters.HTTPAdapter):
        asked = 0

        def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]  # any settings of requests
            self.asked += 1
            if self.asked <= meets:
                found = requests.Response()
                found.status_code, found.url, found.raw = 200, str(request.url), io.BytesIO()
                return found
            raise requests.exceptions.ConnectionError("quoted") from socket.gaierror(-3, "quoted")

    session, waited = requests.Session(), list[float]()
    session.mount("https://", Nowhere())
    asker = Asker(session, region=REGIONS["us"], clock=lambda: datetime(2026, 11, 18, tzinfo=UTC), sleep=waited.append)
    for _ in range(meets):
        asker.ask("the sign-in page", "GET", "https://sso.tandemdiabetes.com/", headers={})
    with pytest.raises(NetworkError, match="its name cannot be looked up; check the network and HTTPS_PROXY"):
        asker.ask("the sign-in page", "GET", "https://sso.tandemdiabetes.com/", headers={})
    assert len(waited) == pauses
