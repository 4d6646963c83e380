"""The stand-in over real TLS on loopback, asked by real clients: requests, urllib, httpx, tconnectsync, and as a process of its own."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
import requests
from sampling import sampled

from simulator.account import Account, account
from simulator.key import challenge_of
from simulator.proxy import StandIn, running
from tandem.eras import ERAS
from tandem.faults import Fault
from tandem.records import Records
from tandem.regions import REGIONS, SSO_URL, client_id_of
from tfx.errors import UsageError

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
VERIFIER = "v" * 86


@pytest.fixture(scope="module")
def people() -> Mapping[str, Account]:
    return {region: account(now=NOW, days=0.25, region=region) for region in REGIONS}


@pytest.fixture
def stand_in(people: Mapping[str, Account], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., StandIn]]:
    """Start one and lead every client of this process to it; afterwards nothing of it may be left."""
    threads = set(threading.enumerate())
    # A folder of its own: stand-ins of other processes come and go in the common one.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened: list[tuple[AbstractContextManager[StandIn], StandIn]] = []

    def start(region: str = "us", **options: Any) -> StandIn:
        manager = running(people[region], **{"now": NOW, **options})
        started = manager.__enter__()
        opened.append((manager, started))
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        return started

    yield start
    for manager, started in opened:
        manager.__exit__(None, None, None)
        assert started.failures == ()
    assert set(threading.enumerate()) <= threads
    assert not list(tmp_path.iterdir())


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def bearer_of(session: requests.Session, person: Account, era: str = "2026-10") -> str:
    """Sign in as tconnectsync does; returns the access token."""
    region = REGIONS[person.region]
    client_id = client_id_of(region, era)
    session.get(SSO_URL).raise_for_status()
    session.post(f"{region.issuer}/login", json={"username": person.email, "password": person.password}).raise_for_status()
    asked = {"client_id": client_id, "response_type": "code", "scope": "openid profile email", "redirect_uri": region.redirect_uri}
    pkce = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}
    landed = session.get(f"{region.issuer}/connect/authorize", params=asked | pkce)
    assert [hop.status_code for hop in landed.history] == [302]
    code = parse_qs(urlsplit(landed.url).query)["code"][0]
    form = {"grant_type": "authorization_code", "client_id": client_id, "code": code, "redirect_uri": region.redirect_uri}
    tokens = session.post(f"{region.issuer}/connect/token", data=form | {"code_verifier": VERIFIER}).json()
    return str(tokens["access_token"])


def headers_of(person: Account, bearer: str) -> dict[str, str]:
    source = REGIONS[person.region].source_url
    return {"Authorization": f"Bearer {bearer}", "Origin": source.rstrip("/"), "Referer": source}


def pumper_url(person: Account) -> str:
    return f"{REGIONS[person.region].source_url}api/reports/bff/pumper/{person.pumper_id}"


@pytest.mark.parametrize("region", ["us", "eu"])
@pytest.mark.parametrize("era", list(ERAS))
def test_requests_signs_in_and_reads_everything(
    stand_in: Callable[..., StandIn], session: requests.Session, people: Mapping[str, Account], era: str, region: str
) -> None:
    person = people[region]
    started = stand_in(region, era=era)
    headers = headers_of(person, bearer_of(session, person, era))
    source, device = REGIONS[region].source_url, person.current
    if ERAS[era].wire == "json":
        assert session.get(pumper_url(person), headers=headers).json()["lastName"] == person.family_name
        query = {"pumperId": person.pumper_id, "startDate": "2026-10-30T00:00:00Z", "endDate": "2026-11-02T23:59:59Z"}
        found = session.get(f"{source}api/reports/bff/pump-logs/{device.assignment_id}", headers=headers, params=query)
        count = sum(len(part) for part in found.json().values())
    else:
        url = f"{source}api/reports/reportsfacade/pumpevents/{person.pumper_id}/{device.tconnect_device_id}"
        found = session.get(url, headers=headers, params={"minDate": "2000-01-01", "maxDate": "2026-11-02"})
        count = len(Records.from_base64(found.json()))
    assert count == len(device.records)
    assert (found.headers["Transfer-Encoding"], found.headers["Content-Encoding"]) == ("chunked", "gzip")
    assert [name for _, name, _ in started.requests][:5] == ["sso-page", "login", "authorize", f"callback-{region}", "token"]
    assert {status for _, _, status in started.requests} == {200, 302}


@pytest.mark.parametrize("region", ["us", "eu"])
def test_tconnectsync_unmodified_signs_in_verifies_and_reads(
    stand_in: Callable[..., StandIn], people: Mapping[str, Account], monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    tandemsource = pytest.importorskip("tconnectsync.api.tandemsource")
    monkeypatch.setattr(tandemsource, "CACHE_CREDENTIALS", False)  # it pickles tokens into the home directory otherwise
    person = people[region]
    # It checks exp and iat of the token against the real clock.
    stand_in(region, now=lambda: datetime.now(UTC))
    api = tandemsource.TandemSourceApi(person.email, person.password, region.upper())
    assert (api.pumperId, api.jwtData["name"]) == (person.pumper_id, person.name)
    device = person.current
    assert [pump["serialNumber"] for pump in api.get_pumper()["pumps"]] == [item.serial_number for item in person.devices]
    assert api.pumper_info()["account"]["email"] == person.email
    everything = list(api.pump_events(device.assignment_id, "2026-10-30", "2026-11-02", fetch_all_event_types=True))
    chosen = list(api.pump_events(device.assignment_id, "2026-10-30", "2026-11-02"))
    assert 0 < len(chosen) < len(everything) <= len(device.records)


def test_urllib_gets_the_keys_that_verify_the_token(
    stand_in: Callable[..., StandIn], session: requests.Session, people: Mapping[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    # urllib keeps its first opener for ever, and with it the proxies of whichever test asked first.
    monkeypatch.setattr(urllib.request, "_opener", None)
    stand_in("eu")
    bearer = bearer_of(session, people["eu"])
    # PyJWKClient fetches with urllib.request; the EU's access token is a JWT.
    client = jwt.PyJWKClient(f"{REGIONS['eu'].issuer}/.well-known/openid-configuration/jwks")
    key = client.get_signing_key_from_jwt(bearer).key
    options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    assert jwt.decode(bearer, key, algorithms=["RS256"], options=options)["sub"] == people["eu"].subject
    with urllib.request.urlopen(SSO_URL) as page:
        assert (page.status, b"Tandem" in page.read()) == (200, True)


def test_httpx_is_led_by_the_same_environment(stand_in: Callable[..., StandIn]) -> None:
    started = stand_in()
    with httpx.Client(verify=ssl.create_default_context(cafile=started.ca_file)) as client:
        assert client.get(SSO_URL).http_version == "HTTP/1.1"
    assert started.requests == (("GET", "sso-page", 200),)


def test_one_connection_serves_many_requests(stand_in: Callable[..., StandIn], session: requests.Session) -> None:
    stand_in()
    ports = set()
    for _ in range(3):
        with session.get(SSO_URL, stream=True) as answer:
            assert answer.raw.connection is not None
            ports.add(answer.raw.connection.sock.getsockname()[1])
            answer.content  # noqa: B018  # read to the end, so that the connection is kept
    assert len(ports) == 1


@pytest.mark.parametrize("url", ["https://example.org/", "https://sso.tandemdiabetes.com:8443/", "https://tandemdiabetes.com/"])
def test_everywhere_else_is_refused_and_counted(stand_in: Callable[..., StandIn], session: requests.Session, url: str) -> None:
    started = stand_in()
    with pytest.raises(requests.exceptions.ProxyError, match="403 Forbidden"):
        session.get(url)
    assert (started.refused, started.requests) == (1, ())


def test_plain_http_is_refused_and_counted(stand_in: Callable[..., StandIn], session: requests.Session) -> None:
    started = stand_in()
    found = session.get("http://sso.tandemdiabetes.com/", proxies={"http": started.proxy_url})
    assert (found.status_code, started.refused) == (403, 1)


def test_a_client_that_does_not_trust_the_authority_gets_nothing(
    stand_in: Callable[..., StandIn], session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = stand_in()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name)
    with pytest.raises(requests.exceptions.SSLError):
        session.get(SSO_URL)
    assert started.requests == ()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", "no chunk"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", "a body beyond all measure"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", "no length"),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "two ways to say where it ends",
        ),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\nGET", "two lengths"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", "two codings"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nGET", "a length behind a header line that is none"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n1\r\n0\r\n\r\n", "a size as Python writes it"),
        (b"GET http://elsewhere/ HTTP/1.1\r\nHost: h\r\n\r\n", "a proxy's request to the service itself"),
        (b"\x00\x01\x02\r\n\r\n", "not HTTP"),
    ],
)
def test_what_is_not_a_request_is_a_400(stand_in: Callable[..., StandIn], sent: bytes, why: str) -> None:
    with tunnel(stand_in()) as connection:
        # Behind it a request that must not be taken for one: the connection is over.
        connection.sendall(sent + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        answers = b"".join(iter(partial(connection.recv, 4096), b""))
        assert (b" 400 " in answers, answers.count(b"HTTP/1.1 ") <= 1) == (True, True), why


def test_equal_lengths_are_one_length_and_a_multipart_type_is_no_torn_header(stand_in: Callable[..., StandIn]) -> None:
    twice = b"Content-Length: 1\r\nContent-Length: 1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with tunnel(stand_in()) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: h\r\n" + twice + b"\r\nx")
        assert b" 400 " not in connection.recv(4096).partition(b"\r\n")[0]


def test_who_was_let_through_to_one_host_cannot_name_another(stand_in: Callable[..., StandIn]) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        tunnel(stand_in(), name="somebody.invalid")


def test_more_connections_than_there_are_places_wait(people: Mapping[str, Account], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfx.loopback.MOST", 2)
    with running(people["us"], now=NOW) as started:
        held, threads = [tunnel(started) for _ in range(2)], threading.active_count()
        address = ("127.0.0.1", urlsplit(started.proxy_url).port or 0)
        waiting = [socket.create_connection(address, timeout=5) for _ in range(20)]
        waiting[0].sendall(b"CONNECT sso.tandemdiabetes.com:443 HTTP/1.1\r\n\r\n")
        waiting[0].settimeout(0.2)
        with pytest.raises(TimeoutError):
            waiting[0].recv(4096)
        assert threading.active_count() <= threads, "a thread of an earlier test may have ended meanwhile"
        held[0].close()
        waiting[0].settimeout(5)
        assert waiting[0].recv(4096).startswith(b"HTTP/1.1 200 ")
    # Its end did not wait for them, either.
    for connection in (*held, *waiting):
        connection.close()


def tunnel(started: StandIn, name: str = "sso.tandemdiabetes.com") -> ssl.SSLSocket:
    """A bare TLS connection to the sign-in host; `name` is what it calls it while it shakes hands."""
    plain = socket.create_connection(("127.0.0.1", urlsplit(started.proxy_url).port or 0), timeout=5)
    plain.sendall(b"CONNECT sso.tandemdiabetes.com:443 HTTP/1.1\r\n\r\n")
    assert plain.recv(4096).startswith(b"HTTP/1.1 200 ")
    return ssl.create_default_context(cafile=started.ca_file).wrap_socket(plain, server_hostname=name)


@pytest.mark.parametrize(
    ("kind", "status"), [("401", 401), ("403-waf", 403), ("429", 429), ("500", 500), ("503", 503), ("content-type", 200)]
)
def test_a_fault_that_is_an_answer(
    stand_in: Callable[..., StandIn], session: requests.Session, people: Mapping[str, Account], kind: str, status: int
) -> None:
    person = people["us"]
    stand_in(faults=[Fault(endpoint="pumper", nth=2, kind=kind)])
    headers = headers_of(person, bearer_of(session, person))
    found = [session.get(pumper_url(person), headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in found] == [200, status, 200]
    assert found[1].headers.get("Retry-After") == ("1" if kind in {"429", "503"} else None)
    assert found[0].json() == found[2].json()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", requests.exceptions.ConnectionError),
        ("truncated", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_a_fault_on_the_way(
    stand_in: Callable[..., StandIn], session: requests.Session, people: Mapping[str, Account], kind: str, error: type[Exception]
) -> None:
    person = people["us"]
    stand_in(faults=[Fault(endpoint="pumper", nth=1, kind=kind)])
    headers = headers_of(person, bearer_of(session, person))
    with pytest.raises(error):
        session.get(pumper_url(person), headers=headers)
    assert session.get(pumper_url(person), headers=headers).status_code == 200


def test_a_reset_is_a_reset_and_not_a_polite_end(stand_in: Callable[..., StandIn]) -> None:
    with tunnel(stand_in(faults=[Fault(kind="reset")])) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: sso.tandemdiabetes.com\r\n\r\n")
        # Below TLS, whose library calls a reset an end of file.
        with socket.socket(fileno=os.dup(connection.fileno())) as plain:
            plain.settimeout(5)
            with pytest.raises(ConnectionResetError):
                b"".join(iter(lambda: plain.recv(4096), b""))


def test_a_slow_answer_is_whole_in_the_end_and_too_slow_for_a_hasty_client(
    stand_in: Callable[..., StandIn], session: requests.Session
) -> None:
    stand_in(faults=[Fault(nth=1, kind="drip"), Fault(nth=2, kind="drip")], pause=0.01)
    assert "Tandem" in session.get(SSO_URL).text
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(SSO_URL, timeout=0.002)


def test_closing_does_not_wait_for_a_slow_answer_nor_for_an_idle_client(people: Mapping[str, Account]) -> None:
    with running(people["us"], now=NOW, faults=[Fault(kind="drip")], pause=30.0) as started:
        idle, slow = tunnel(started), tunnel(started)
        slow.sendall(b"GET / HTTP/1.1\r\nHost: sso.tandemdiabetes.com\r\n\r\n")
        plain = socket.create_connection(("127.0.0.1", urlsplit(started.proxy_url).port or 0), timeout=5)
        begun = datetime.now(UTC)
    assert datetime.now(UTC) - begun < timedelta(seconds=5)
    for connection in (idle, slow, plain):
        connection.close()
    assert started.failures == ()
    assert not started.ca_file.parent.exists()


@pytest.mark.proofs
def test_eight_threads_get_no_wrong_answer(stand_in: Callable[..., StandIn], people: Mapping[str, Account]) -> None:
    person = people["us"]
    started = stand_in()
    source, device = REGIONS["us"].source_url, person.current
    days = ["2026-11-01", "2026-11-02"]
    logs = f"{source}api/reports/bff/pump-logs/{device.assignment_id}"

    def work(_turn: int) -> list[tuple[int, int]]:
        with requests.Session() as session:
            headers = headers_of(person, bearer_of(session, person))
            found = []
            for day in days * 2:
                query = {"pumperId": person.pumper_id, "startDate": f"{day}T00:00:00Z", "endDate": f"{day}T23:59:59Z"}
                events = session.get(logs, headers=headers, params=query).json()["events"]
                assert all(event["pumpDateTime"].startswith(day) for event in events)
                assert session.get(pumper_url(person), headers=headers).json()["firstName"] == person.given_name
                found.append((days.index(day), len(events)))
            return found

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(16)))
    assert all(result == results[0] for result in results)
    assert {status for _, _, status in started.requests} == {200, 302}
    assert len(started.requests) == 16 * 13
    issued = [seen.value for seen in started.secrets() if seen.kind == "access token"]
    assert len(set(issued)) == 16


def test_a_failure_of_its_own_is_kept_by_name_and_not_printed(
    people: Mapping[str, Account], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_request: object) -> NoReturn:
        raise ZeroDivisionError(people["us"].password)

    with running(people["us"], now=NOW) as started:
        monkeypatch.setattr(started.loopback.server, "reply", broken)
        with tunnel(started) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: sso.tandemdiabetes.com\r\n\r\n")
            assert connection.recv(4096) == b""
    assert started.failures == ("ZeroDivisionError",)
    assert capfd.readouterr() == ("", "")


def test_a_taken_port_is_said_to_be_taken(people: Mapping[str, Account]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"cannot listen on 127.0.0.1 port {port} \(.*\); choose another with --port"):
            running(people["us"], now=NOW, port=port).__enter__()


def test_the_running_stand_in_prints_no_secret(stand_in: Callable[..., StandIn], capfd: pytest.CaptureFixture[str]) -> None:
    started = stand_in(faults=[Fault(nth=2, kind="reset")])
    requests.get(SSO_URL)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(SSO_URL)
    assert capfd.readouterr() == ("", "")
    shown = repr(started) + repr(started.requests) + repr(started.environment)
    assert not [seen.kind for seen in started.secrets() if seen.value in shown]


@pytest.mark.parametrize("number", sampled((signal.SIGINT,), rest=[(signal.SIGTERM,)]))
def test_the_command_leads_a_client_and_ends_cleanly(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tfx", "simulate", "--days", "0.25", "--region", "eu", "--print-env", "--fault", "jwks:9:reset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process, ExitStack() as stack:
        stack.callback(process.kill)  # whatever fails below, the run does not wait for it
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(12)]
        asked = "import json, os; print(json.dumps(dict(os.environ)))"
        # The lines are read by a real shell: the password is made of what shells trip over.
        shell = subprocess.run(
            ["sh", "-c", "".join(lines) + f"exec {sys.executable} -c '{asked}'"], capture_output=True, text=True, check=True
        )
        environment = {name: value for name, value in json.loads(shell.stdout).items() if os.environ.get(name) != value}
        with requests.Session() as session:
            session.trust_env = False
            session.proxies["https"] = environment["HTTPS_PROXY"]
            session.verify = environment["REQUESTS_CA_BUNDLE"]
            credentials = {"username": environment["TFX_EMAIL"], "password": environment["TFX_PASSWORD"]}
            found = session.post(f"{REGIONS['eu'].issuer}/login", json=credentials)
        process.send_signal(number)
        rest = process.communicate(timeout=20)
    assert found.json() == {"redirectUrl": "/", "status": "SUCCESS"}
    warning = "the fault jwks:9:reset was never met: the stand-in got fewer requests; remove the fault, or let the client ask more often"
    assert (process.returncode, *rest) == (0, "", f"tfx: {warning}.\n")
    assert not Path(environment["REQUESTS_CA_BUNDLE"]).exists()
