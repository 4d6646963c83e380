"""A recording over real HTTPS, and then every file and every line of output searched for everything the account holds."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from machine import Machine
from sampling import sampled

from recorder.checkpoint import Errand
from recorder.credentials import Credentials
from recorder.session import Way, record
from sanitizer.scrub import scrub
from simulator.account import account
from simulator.proxy import running
from tfx import store


def forms(value: str) -> set[bytes]:
    """The spellings a value hides in most often; the sanitizer's own scan knows more, and is not asked here."""
    raw = value.encode()
    plain = {
        raw,
        quote(value, safe="").encode(),
        base64.b64encode(raw).rstrip(b"="),
        binascii.hexlify(raw),
        raw.lower(),
        raw.upper(),
        raw[::-1],
    }
    return plain | {value.replace("-", "").encode()}


@pytest.mark.slow
@pytest.mark.parametrize(("era", "region"), sampled(("2025", "eu"), rest=[("2026-10", "us")]))
def test_nothing_the_account_holds_is_in_anything_the_run_wrote(machine: Machine, era: str, region: str) -> None:
    now = datetime.now(UTC)  # the command goes by the real clock, and so must the stand-in
    person = account(identity=77, therapy=3, now=now, days=1, region=region)
    with running(person, era=era, region=region, now=now) as stand_in:
        environment = {**stand_in.environment, "TFX_EMAIL": person.email, "TFX_PASSWORD": person.password}
        ran = machine.tfx(
            "record",
            "leak-test",
            "--region",
            region,
            "--era",
            era,
            "--since",
            "2026-11-18",
            "--until",
            "2026-11-18",
            environment=environment,
        )
        secrets = stand_in.secrets()
    assert ran.code == 0, ran.err
    written = machine.files()
    assert [path.name for path in written] == ["leak-test.json"], "nothing but the cassette was left behind"
    everything = b"\n".join(path.read_bytes() + path.name.encode() for path in written) + ran.out.encode() + ran.err.encode()
    assert len(secrets) > 40
    found = sorted({secret.kind for secret in secrets if len(secret.value) > 3 for form in forms(secret.value) if form in everything})
    assert not found
    assert f"{now:%Y-%m-}".encode() not in everything, "no date of the recording survives"


@pytest.mark.slow
@pytest.mark.parametrize(("era", "region"), sampled(("2026-10", "us"), rest=[("2026-07", "eu"), ("2025", "us")]))
def test_the_same_therapy_of_two_people_weeks_apart_is_one_cassette(era: str, region: str) -> None:
    texts = set()
    for identity, now in ((5, datetime(2026, 11, 18, 20, 30, tzinfo=UTC)), (99, datetime(2025, 12, 3, 20, 30, tzinfo=UTC))):
        person = account(identity=identity, therapy=8, now=now, days=1, region=region)
        errand = Errand(region=region, era=era, since=now.date() - timedelta(days=1), until=now.date())
        with running(person, era=era, region=region, now=now) as stand_in:
            way = Way(proxy=stand_in.proxy_url, ca_file=stand_in.ca_file)
            credentials = Credentials(email=person.email, password=person.password)
            capture = record(credentials, errand, clock=lambda now=now: now, way=way)  # type: ignore[misc]  # a default binds the loop's value
        texts.add(store.dumps(scrub(capture, name="one").cassette))
    assert len(texts) == 1
