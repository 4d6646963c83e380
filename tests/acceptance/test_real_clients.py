"""The real, unmodified clients read the committed cassettes, offline."""

import json
from pathlib import Path

import pytest
from machine import Machine
from sampling import sampled

from tfx import store

PROGRAM = Path(__file__).parents[2] / "simulator" / "reading_program.py"


@pytest.mark.slow
@pytest.mark.parametrize("region", sampled(("us",), rest=[("eu",)]))
def test_tconnectsync_logs_in_and_reads_everything(machine: Machine, root: Path, region: str) -> None:
    path = root / "cassettes" / f"session-{region}.json"
    cassette = store.load(path)
    day = cassette.clock.date().isoformat()
    ran = machine.tfx("replay", str(path), "--", str(PROGRAM), region, day, day)
    assert ran.code == 0, ran.err
    report = json.loads(ran.out.splitlines()[-1])  # tconnectsync prints a line of its own where TZ is set
    assert {"pumperId", "accountId", "email", "at_hash", "sid"} <= set(report["verified_claims"])
    assert report["pumps"] == 3
    assert report["events"] > 200
    assert report["events_by_default"] < report["events"], "the service of October 2026 filters by code"


def test_the_legacy_cassette_decodes_with_tconnectsyncs_binary_parser(root: Path) -> None:
    from tconnectsync.eventparser.raw_event import RawEvent

    from tandem.events import EVENTS

    cassette = store.load(root / "cassettes" / "session-2025.json")
    bodies = [exchange.response for exchange in cassette.exchanges if "/pumpevents/" in exchange.request.url]
    assert bodies
    import base64

    from tfx.codec import decoded

    records = b"".join(base64.b64decode(json.loads(decoded(body.headers, body.body))) for body in bodies)
    assert len(records) % 26 == 0
    codes = {RawEvent.build(records[at : at + 26]).id for at in range(0, len(records), 26)}
    assert len(codes & set(EVENTS)) > 50


@pytest.mark.parametrize("region", ["us", "eu"])
def test_pyjwts_own_key_client_gets_its_keys_and_verifies(root: Path, region: str) -> None:
    import jwt

    from replayer.session import offline
    from tandem.regions import REGIONS, client_id_of
    from tfx.codec import decoded

    cassette = store.load(root / "cassettes" / f"session-{region}.json")
    token = next(
        json.loads(decoded(exchange.response.headers, exchange.response.body))["id_token"]
        for exchange in cassette.exchanges
        if exchange.request.url.endswith("/connect/token")
    )
    home = REGIONS[region]
    with offline(cassette):
        # It fetches with urllib.request, which requests-mock never sees.
        key = jwt.PyJWKClient(f"{home.issuer}/.well-known/openid-configuration/jwks").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key.key, algorithms=["RS256"], audience=client_id_of(home, cassette.era), issuer=home.issuer)
    assert claims["email"] == "user1@example.invalid"
