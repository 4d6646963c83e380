"""Sessions with the stand-in, happy and unhappy, through the sanitizer into files, and the command over those files."""

import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from sampling import sampled
from tconnectsync.eventparser.generic import Events

from sanitizer.check import looked_at
from sanitizer.places.pumprecords import pump_records, survey_records
from sanitizer.places.visitors import Rewriter
from sanitizer.policy.policy import policy
from sanitizer.replacements.devices import Device
from sanitizer.run import Run
from sanitizer.scrub import again, scrub
from simulator.account import account
from simulator.session import captured_session
from tandem.endpoints import locate
from tandem.faults import Fault
from tandem.records import Records
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.jsonbody import parse
from tfx.store import dumps, save

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)


def cassette(
    era: str, region: str, *, identity: int = 1, weeks: int = 0, faults: tuple[Fault, ...] = (), guardian: bool = False
) -> Cassette:
    now = NOW + timedelta(weeks=weeks)
    person = account(identity=identity, therapy=4, now=now, days=0.5, region=region, guardian=guardian)
    return scrub(captured_session(person, era=era, region=region, now=now, faults=faults), name="session").cassette


UNHAPPY = [Fault.parse(text) for text in ("pumper:1:401", "pumpers:1:403-waf", "pump-logs:1:500")]
OTHERWISE = [Fault.parse(text) for text in ("pumper:1:429", "pumpers:1:503", "pump-logs:1:content-type")]


@pytest.mark.parametrize(
    ("region", "faults"),
    sampled(("us", tuple(UNHAPPY)), ("eu", tuple(OTHERWISE)), rest=[("eu", tuple(UNHAPPY)), ("us", tuple(OTHERWISE))]),
    ids=["us-401-403-500", "eu-429-503-page", "eu-401-403-500", "us-429-503-page"],
)
def test_an_unhappy_session_is_clean_and_nobodys(faults: tuple[Fault, ...], region: str) -> None:
    one = cassette("2026-10", region, faults=faults)
    assert dumps(one) == dumps(cassette("2026-10", region, identity=9, weeks=-3, faults=faults))
    assert looked_at(one) == ()
    assert dumps(again(one).cassette) == dumps(one)
    assert {exchange.response.status for exchange in one.exchanges} > {200, 302}


@pytest.mark.parametrize("era", ["2025", "2026-10"])
def test_a_guardian_is_nobody_too(era: str) -> None:
    one = cassette(era, "eu", guardian=True)
    assert dumps(one) == dumps(cassette(era, "eu", identity=12, weeks=7, guardian=True))
    assert looked_at(one) == ()


def test_the_command_finds_what_was_written_clean(tmp_path: Path) -> None:
    for era in ("2025", "2026-07", "2026-10"):
        save(cassette(era, "us"), tmp_path / era)
    ran = subprocess.run([sys.executable, "-m", "tfx", "sanitize", "--check", str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "3 cassettes clean\n", "")


HEAVY = {"requests", "numpy", "rich", "jwt", "cryptography", "ahocorasick_rs", "sqlalchemy", "recorder", "simulator"}


def test_the_check_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    save(cassette("2026-10", "us"), tmp_path)
    program = (
        "import sys\nfrom tfx import cli\n"
        f"code = cli.run(['sanitize', '--check', {str(tmp_path)!r}])\n"
        f"print(code, sorted({HEAVY!r} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "0 []"


def answer(made: Cassette, name: str) -> bytes:
    for exchange in made.exchanges:
        place = locate(exchange.request.method, exchange.request.url)
        if place and place.endpoint.name == name:
            return decoded(exchange.response.headers, exchange.response.body)
    raise AssertionError(name)


def test_tconnectsync_reads_every_record() -> None:
    records = Records.from_body(answer(cassette("2025", "us"), "pump-events"))
    events = list(Events(records.to_bytes()))
    assert len(events) == len(records) > 200
    assert {event.eventTimestamp.year for event in events} == {2024}


def test_the_id_token_verifies_against_the_recorded_keys() -> None:
    made = cassette("2026-10", "eu")
    tokens, keys = parse(answer(made, "token")), parse(answer(made, "jwks"))
    assert isinstance(tokens, dict)
    assert isinstance(keys, dict)
    key = jwt.PyJWKSet.from_dict(keys).keys[0].key
    claims = jwt.decode(str(tokens["id_token"]), key, algorithms=["RS256"], audience="1519e414-eeec-492e-8c5e-97bea4815a10")
    assert claims["email"] == "user1@example.invalid"


def test_a_hundred_thousand_records_take_no_loop_of_python() -> None:
    # Not a clock, which a busy machine bends, but memory: a Python object for each record would be a hundred bytes a piece and more.
    person = account(identity=1, therapy=1, now=NOW, days=1)
    session = captured_session(person, era="2025", now=NOW)
    exchange = next(one for one in session.exchanges if "pumpevents" in one.request.url)
    records = Records.from_body(decoded(exchange.response.headers, exchange.response.body))
    many = Records.join([records] * (100_000 // len(records) + 1))
    device = Device()
    survey_records(device, many)
    tracemalloc.start()
    try:
        done = pump_records(Rewriter(Run(policy=policy(), clock=NOW)), device, many, "response body")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(done) == len(many)
    assert peak < 150 * len(many)
