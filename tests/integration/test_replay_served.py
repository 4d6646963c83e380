"""The cassette behind a proxy: programs in any language, the Python of another environment, clients configured by hand."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import tape
from machine import Ran

from replayer.programs.seal import network_of_its_own
from replayer.programs.served import found, served
from replayer.replay import Replay
from tfx import store
from tfx.cli import run
from tfx.exchange import Headers, Response
from tfx.loopback import Loopback

NODE = shutil.which("node")
LOGIN = "https://tdcservices.tandemdiabetes.com/accounts/api/login"
ASK = """
import sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url).status)
    except OSError as error:
        print(getattr(error, "code", None) or "no way")
"""
SSO = "https://sso.tandemdiabetes.com/"
ELSEWHERE = "https://somebody.invalid/"


@pytest.fixture(scope="module")
def is_sealed() -> bool:
    with network_of_its_own(["true"]) as waiting:
        return waiting.listener is not None


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return store.save(tape.session(), tmp_path)


def replayed(output: pytest.CaptureFixture[str], *words: str) -> Ran:
    code = run(["replay", *words])
    found = output.readouterr()
    return Ran(code=code, out=found.out, err=found.err)


def test_any_program_is_led_to_the_cassette_and_judged_as_a_python_one(session: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # -I: nothing of tfx is in that process, it is any program that knows HTTPS_PROXY.
    program = [sys.executable, "-I", "-c", ASK]
    cases = (
        ("on it", [SSO], 0, "200", "1 of 10 exchanges used, 0 requests missed, 0 attempts"),
        (
            "used up, not on it, somewhere else",
            [SSO, SSO, SSO + "private-word", ELSEWHERE],
            1,
            "200 501 501 no way",
            "1 of 10 exchanges used, 2 requests missed, 1 attempt",
        ),
    )
    for why, urls, code, out, last in cases:
        ran = replayed(capfd, str(session), "--serve", "--", *program, *urls)
        assert (ran.code, " ".join(ran.out.split())) == (code, out), (why, ran.err)
        assert last in ran.err.splitlines()[-1], why
        assert "private-word" not in ran.err
        assert "somebody" not in ran.err
    ran = replayed(capfd, str(session), "--serve", "--json", "--", sys.executable, "-I", "-c", "raise SystemExit(7)")
    report = json.loads(ran.out)
    assert (ran.code, report["program_exit_code"], report["used"]) == (7, 7, [])


def test_a_sealed_program_has_no_way_past_the_proxy(session: Path, capfd: pytest.CaptureFixture[str], is_sealed: bool) -> None:
    if not is_sealed:
        pytest.skip("this machine allows no network of its own to a program")
    reach = "import socket, sys\nsys.exit(socket.socket().connect_ex(('192.0.2.1', 443)) == 0)"
    ran = replayed(capfd, str(session), "--serve", "--", sys.executable, "-I", "-c", reach)
    assert ran.code == 1
    assert ran.err.splitlines()[0] == "tfx: blocked: the program tried to reach the network past the proxy"
    assert "1 attempt to reach the network blocked" in ran.err
    ran = replayed(capfd, str(session), "--serve", "--unsealed", "--", sys.executable, "-I", "-c", ASK, SSO)
    assert (ran.code, ran.err.splitlines()[0]) == (
        0,
        "tfx: the program ran in the machine's own network; what it did past the proxy was not seen",
    )


APP = f"""
const https = require("node:https");
const ask = (url) => new Promise((found, failed) => https.get(url, (answer) => found(answer.resume().statusCode)).on("error", failed));
(async () => {{
  console.log(await ask("{SSO}"));
  const login = {{ method: "POST", headers: {{ "Content-Type": "application/json" }}, body: '{{"username":"a","password":"b"}}' }};
  const signedIn = await fetch("{LOGIN}", login);
  console.log(signedIn.status, (await signedIn.json()).status);
  for (const url of process.argv.slice(2)) {{
    console.log(await fetch(url).then((answer) => answer.status, (error) => error.cause.code));
  }}
}})();
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_an_unmodified_node_program_is_led_to_the_cassette(session: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither `https` nor `fetch` of this Node need know of proxies."""
    Path("app.cjs").write_text(APP)
    ran = replayed(capfd, str(session), "--", "node", "app.cjs", SSO + "nowhere", ELSEWHERE)
    assert ran.out.splitlines() == ["200", "200 SUCCESS", "501", "ERR_SSL_TLSV1_UNRECOGNIZED_NAME"]
    assert (ran.code, "2 of 10 exchanges used, 1 request missed, 1 attempt" in ran.err) == (1, True), ran.err


def test_a_served_cassette_leads_a_client_and_ends_with_a_report(session: Path) -> None:
    """Ctrl-C is heard by the same handler; tfx simulate is tested with both."""
    command = [sys.executable, "-m", "tfx", "replay", str(session), "--serve", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = json.loads(process.stdout.readline())["environment"]
            with requests.Session() as client:
                client.trust_env = False
                client.proxies["https"], client.verify = found["HTTPS_PROXY"], found["REQUESTS_CA_BUNDLE"]
                assert [client.get(SSO).status_code for _ in range(2)] == [200, 501]
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
    report = json.loads(out)
    assert (process.returncode, report["used"], len(report["misses"])) == (1, [1], 1)
    assert re.fullmatch(r"tfx: no exchange on session (.*\n)+tfx: session: 1 of 10 exchanges used, 1 request missed, .*\n", err), err
    assert not Path(found["SSL_CERT_FILE"]).exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--freeze", "--", "true"], "are for Python programs that tfx runs itself"),
        (["--serve", "--allow-programs", "sh"], "are for Python programs that tfx runs itself"),
        (["--allow", "127.0.0.1:8123", "--", "-c", "1"], "--allow takes loopback, an address or a name, without a port"),
        (["--", "./folder"], "there is no program './folder'"),
        (["--", "./broken"], r"the program cannot be started \("),
        ([], "or --serve the cassette"),
    ],
)
def test_wrong_use_is_said_to_be_that(session: Path, capfd: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    Path("folder").mkdir()
    Path("broken").write_bytes(b"\x7fELF")
    Path("broken").chmod(0o700)
    ran = replayed(capfd, str(session), *words)
    assert ran.code == 2
    assert re.search(message, ran.err), ran.err


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    bare = tape.session().exchanges[0].replacing(response=Response(status=200, reason="", headers=Headers([("X", "y")]), body=b"abc"))
    with served(Replay(tape.with_exchanges(tape.session(), bare, *tape.session().exchanges[1:]))) as running:
        yield running


def test_an_answer_recorded_without_a_length_ends_all_the_same(loopback: Loopback) -> None:
    with requests.Session() as client:
        client.trust_env = False
        client.proxies["https"], client.verify = loopback.proxy_url, str(loopback.ca_file)
        assert client.get(SSO, timeout=5).content == b"abc"
        # Chunked, as Node and Go send what they were given no length of; and the connection is still in step.
        body = iter([b'{"username": "a",', b' "password": "b"}'])
        assert client.post(LOGIN, data=body, headers={"Content-Type": "application/json"}, timeout=5).json()["status"] == "SUCCESS"


def test_what_is_no_http_is_counted_and_answered_nothing_of_use(loopback: Loopback) -> None:
    for sent in (b"\x00\x01\r\n\r\n", b"CONNECT 192.0.2.1:25 HTTP/1.1\r\n\r\n", b"GET http://somebody.invalid/ HTTP/1.1\r\n\r\n"):
        with knocking(loopback) as connection:
            connection.sendall(sent)
            assert b" 403 " in connection.recv(4096)
    assert loopback.ledger.refused == (("", None), ("192.0.2.1", 25), ("somebody.invalid", 80))


@pytest.mark.parametrize("target", [b"http://[::1:8977/", b"http://somebody.invalid:99999/"])
def test_a_target_that_cannot_be_read_is_a_400_and_counted_in_words(loopback: Loopback, target: bytes) -> None:
    with knocking(loopback) as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    said = found(Replay(tape.session()), loopback.ledger)
    assert (said.misses, said.blocked) == ([], ["send the proxy something that names no host"])


@pytest.mark.parametrize("then", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 300, b"\x16\x03\x01"])
def test_who_goes_away_without_a_request_is_no_miss_and_no_error(loopback: Loopback, then: bytes) -> None:
    for pause in range(40):
        with knocking(loopback) as connection:
            connection.sendall(b"CONNECT sso.tandemdiabetes.com:443 HTTP/1.1\r\n\r\n" + then)
            time.sleep(0.0005 * (pause % 5))  # how far the proxy has come by then decides what it meets
    loopback.server.shutdown()
    loopback.server.server_close()  # every thread has ended
    said = found(Replay(tape.session()), loopback.ledger)
    assert (said.misses, said.blocked) == ([], [])


def knocking(loopback: Loopback) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(loopback.proxy_url.rpartition(":")[2])), timeout=5)
