"""Every kind of client there is reads the same cassette, offline, and makes the same events of it.

tconnectsync 3 and 2 (each in its own Python), tandem-fetch's way to the keys (PyJWT, urllib), httpx, and Node and Java without a library.
"""

import json
import shutil
from pathlib import Path
from typing import cast

import pytest
from machine import Machine

from tfx import store
from tfx.codec import decoded
from tfx.jsonbody import Json

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
CASSETTE = ROOT / "cassettes" / "session-us.json"
OLD = ROOT / ".venv-tconnectsync-2" / "bin" / "python"
NODE = shutil.which("node")
JAVA = shutil.which("javac") and shutil.which("java")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(everything=tmp_path)


@pytest.fixture(scope="module")
def days() -> list[str]:
    """The recorded days: those of the window on the cassette."""
    return [value[:10] for value in window()]


def window() -> list[str]:
    from replayer.matching.keys import question_of

    asked = question_of(store.load(CASSETTE).exchanges[-1].request)
    return [asked.values(name)[0] for name in ("startDate", "endDate")]


def recorded() -> tuple[list[int], list[int]]:
    """Sequence numbers of the events on the cassette, and of the clock changes among them."""
    last = store.load(CASSETTE).exchanges[-1].response
    answer = cast("dict[str, list[dict[str, int]]]", json.loads(decoded(last.headers, last.body)))
    changes = [event["sequenceNumber"] for event in answer["clockChanges"]]
    return sorted([*(event["sequenceNumber"] for event in answer["events"]), *changes]), changes


def reads(machine: Machine, *words: str) -> dict[str, Json]:
    ran = machine.tfx("replay", str(CASSETTE), *words)
    assert ran.code == 0, ran.err
    found: dict[str, Json] = json.loads(ran.out.splitlines()[-1])  # tconnectsync prints a line of its own where TZ is set
    return found


def test_tconnectsync_3(machine: Machine, days: list[str]) -> None:
    found = reads(machine, "--", str(ROOT / "simulator" / "reading_program.py"), "us", *days)
    every, changes = recorded()
    # It leaves the clock changes, which stand apart in the answer, where they are.
    assert (found["pumps"], found["events"]) == (3, len(every) - len(changes))


@pytest.mark.skipif(not OLD.exists(), reason="tconnectsync 2.3.4 is not installed; make proofs does it")
def test_tconnectsync_2_reads_a_recording_of_the_service_that_came_after_it(machine: Machine, days: list[str]) -> None:
    found = reads(machine, "--as-era", "2025", "--serve", "--", str(OLD), str(CLIENTS / "old_client.py"), *days)
    assert (found["claims"], found["pumps"], found["numbers"]) == (23, 2, recorded()[0])
    assert found["chosen"] == len([code for code in codes() if code in OLD_CODES])
    assert found["segments"] == [5, 5]


def test_tconnectsync_3_reads_a_recording_of_the_service_that_came_before_it(machine: Machine) -> None:
    from tandem.records import Records

    path = ROOT / "cassettes" / "session-2025.json"
    cassette = store.load(path)
    last = cassette.exchanges[-1].response
    records = Records.from_body(decoded(last.headers, last.body))
    day = cassette.clock.date().isoformat()
    first = cassette.exchanges[-1].request.url.partition("minDate=")[2][:10]
    ran = machine.tfx("replay", str(path), "--as-era", "2026-10", "--", str(ROOT / "simulator" / "reading_program.py"), "us", first, day)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out.splitlines()[-1])["events"] == sum(code not in (13, 14) for code in records.code.tolist())


def test_httpx_and_asyncio(machine: Machine, days: list[str]) -> None:
    found = reads(machine, "--", str(CLIENTS / "httpx_client.py"), *days)
    assert (found["claims"], found["pumps"], found["numbers"]) == (23, 3, recorded()[0])


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_node_and_its_fetch(machine: Machine, days: list[str]) -> None:
    found = reads(machine, "--", "node", str(CLIENTS / "node_client.cjs"), *days)
    assert (found["claims"], found["pumps"], found["numbers"]) == (23, 3, recorded()[0])


@pytest.mark.skipif(JAVA is None, reason="no Java that runs a source file is installed")
def test_java_and_both_its_clients(machine: Machine) -> None:
    assert reads(machine, "--", "java", str(CLIENTS / "JavaClient.java")) == {"page": 200, "status": 200, "jwks": True}


def test_the_keys_by_urllib_as_tandem_fetch_gets_them(machine: Machine) -> None:
    asks = (
        "import jwt, json; keys = jwt.PyJWKClient('https://tdcservices.tandemdiabetes.com/accounts/api/"
        ".well-known/openid-configuration/jwks').get_signing_keys(); print(json.dumps({'keys': len(keys)}))"
    )
    assert reads(machine, "--", "-c", asks) == {"keys": 1}


def codes() -> list[int]:
    last = store.load(CASSETTE).exchanges[-1].response
    answer = cast("dict[str, list[dict[str, int]]]", json.loads(decoded(last.headers, last.body)))
    return [event["eventCode"] for event in (*answer["events"], *answer["clockChanges"])]


OLD_CODES = frozenset(
    (
        229, 5, 28, 4, 26, 99, 279, 3, 16, 59, 21, 55, 20, 280, 64, 65, 66, 61, 33, 371, 171, 369, 460, 172, 370, 461, 372, 399, 256, 213,
        406, 394, 212, 404, 214, 405, 447, 313, 60, 14, 6, 90, 230, 140, 12, 11, 53, 13, 63, 203, 307, 191,
    )
)  # fmt: skip
"""What tconnectsync 2.3.4 asks for unless told otherwise (`DEFAULT_EVENT_IDS`)."""
