"""Hypothesis strategies for unexpected responses of the service, and the law for them: few in tests/unit, many in tests/proofs."""

import json
from datetime import UTC, datetime

from hypothesis import strategies as st

from sanitizer.check import looked_at
from sanitizer.files.era import eras_of
from sanitizer.policy.policy import Node, policy
from sanitizer.scrub import again, scrub
from tandem.events import EVENTS
from tfx.capture import Capture, Seen
from tfx.errors import RefusedError
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.jsonbody import Json
from tfx.store import dumps

CANARY = "Quetzalcoatl77"
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
HOST = "https://source.tandemdiabetes.com/api"
NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)


def members(node: Node) -> set[str]:
    """Every name the policy knows in an answer."""
    found = set(node.members or {})
    for inner in (node.members or {}).values():
        found |= members(inner)
    return found | (members(node.items) if node.items else set())


NAMES = sorted(
    set().union(
        *(members(node) for node in policy().bodies.values()), {"events", "clockChanges", "eventProperties", "x", CANARY, "unknown1"}
    )
)
TEXTS = st.sampled_from(
    [
        CANARY,
        "",
        ID,
        ID.upper(),
        "2026-11-18T10:00:00",
        "10871624",
        "US-CA",
        "Given1",
        "https://sso.tandemdiabetes.com/",
        "e30.e30.e30",
        "é€\u0000",
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6), max_leaves=25
)
PROPERTIES = st.dictionaries(
    st.sampled_from(sorted({field.name for event in EVENTS.values() for field in event.fields} | {"spareA0", "spareB4", "x", CANARY})),
    VALUES,
    max_size=4,
)
ROWS = st.fixed_dictionaries(
    {"eventCode": st.sampled_from([*EVENTS, 57, 4000, 9999, True, "28", None]), "eventProperties": PROPERTIES | LEAVES},
    optional={
        "deviceAssignmentId": LEAVES,
        "sequenceGroup": st.integers(0, 3) | LEAVES,
        "sequenceNumber": st.integers(0, 2**33) | LEAVES,
        "pumpDateTime": LEAVES,
        "estimatedDateTime": LEAVES,
        CANARY: LEAVES,
    },
)
LOGS = st.fixed_dictionaries(
    {"events": st.lists(ROWS | VALUES, max_size=6)}, optional={"clockChanges": st.lists(ROWS, max_size=3), "x": VALUES}
)


def closed(url: str, value: Json, status: int = 200) -> None:
    """What comes out is closed, comes out again as it is, and never holds the canary."""
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    exchange = Exchange(
        request=Request(method="GET", url=url),
        response=Response(status=status, headers=Headers([("Content-Type", "application/json")]), body=body),
    )
    seen = (Seen(kind="canary", value=CANARY),)
    try:
        done = scrub(Capture(exchanges=(exchange,), era=max(eras_of((exchange,))), region="us", clock=NOW, seen=seen), name="x")
    except RefusedError:
        return  # its words are test_planting's
    assert CANARY.lower() not in (dumps(done.cassette).decode() + str(done.findings)).lower()
    assert looked_at(done.cassette) == ()
    assert dumps(again(done.cassette).cassette) == dumps(done.cassette)
