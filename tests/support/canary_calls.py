"""Direct calls that end in an error of tfx, with a canary in their arguments: for places that no command line reaches fast.

Kernel and wire. What the stages do is in canary_stages.py. A row says nothing of what it reaches: the walk sees that itself.
"""

import hashlib
import json
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import requests
from canary import EMAIL, NAME, PASSWORD, ROOT, SERIAL, TOKEN, UUID, Bench

from tandem import bff, client, clock, login, members
from tandem.asking import Answer, Asker
from tandem.eras import ERAS
from tandem.events import EVENTS, Field
from tandem.faults import Fault
from tandem.pumplists import objects
from tandem.records import Records
from tandem.regions import REGIONS
from tandem.stamp import Stamp
from tandem.windows import Window, windows
from tfx import codec, jsonbody, layout, reading, store
from tfx.authority import Authority
from tfx.exchange import Headers
from tfx.jsonbody import Json
from tfx.loopback import answering
from tfx.signing import jwks, sign
from tfx.stages import stage

Call = Callable[[Bench], object]
NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
US = REGIONS["us"]
CASSETTE = (ROOT / "cassettes" / "session-us.json").read_bytes()
DAY = date(2026, 11, 18)


def edited(change: Callable[[dict[str, Json]], None]) -> bytes:
    """The cassette with a name of somebody's in it, and one thing wrong."""
    node = json.loads(CASSETTE.replace(b"Given1", NAME.encode()))
    change(node)
    return json.dumps(node).encode()


def badly_merged() -> bytes:
    """One exchange less than the count says, with a correct digest."""
    node = json.loads(CASSETTE.replace(b"Given1", NAME.encode()))
    node["exchanges"].pop()
    return sealed(json.dumps(node, indent=1).encode())


def sealed(data: bytes) -> bytes:
    """The text of a cassette with the digest that fits it."""
    found = reading.DIGEST.search(data)
    assert found
    blank = data[: found.start(1)] + reading.NO_DIGEST + data[found.end(1) :]
    return blank.replace(reading.NO_DIGEST, hashlib.sha256(blank).hexdigest().encode(), 1)


def count(node: dict[str, Json]) -> None:
    node["counts"] = {"exchanges": 99}


def names_for_exchanges(node: dict[str, Json]) -> None:
    node["exchanges"], node["counts"] = [NAME], {"exchanges": 1}


def with_member(**member: Json) -> Callable[[dict[str, Json]], None]:
    """An edit by hand of the first exchange."""

    def change(node: dict[str, Json]) -> None:
        cast("list[dict[str, Json]]", node["exchanges"])[0] |= member

    return change


MEMBERS = (
    with_member(replay=NAME),
    with_member(replay={NAME: PASSWORD}),
    with_member(replay={"repeat": NAME}),
    with_member(replay={"when": NAME}),
    with_member(replay={"ignore": NAME}),
    with_member(**{NAME: PASSWORD}),
    with_member(request={NAME: PASSWORD}),
)
"""What somebody may put into an exchange that does not belong there."""


def without(library: str, call: Call) -> Call:
    """The call where a library is not installed."""

    def miss(bench: Bench) -> object:
        with bench.patch.context() as patch:
            patch.setitem(sys.modules, library, None)
            return call(bench)

    return miss


def missing_stage(bench: Bench) -> object:
    def absent(_name: str) -> object:
        raise ModuleNotFoundError("No module named 'duckdb'", name="duckdb")

    with bench.patch.context() as patch:
        patch.setattr("tfx.stages.import_module", absent)
        return stage("pipeline.cli:pipeline")


def port_in_use(_: Bench) -> object:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        answering([f"{NAME}.example.org"], lambda _: (_ for _ in ()).throw(AssertionError), name="x", at=taken.getsockname()[1]),
    ):
        return None


def changed_while_played(bench: Bench) -> object:
    path = bench.folder / "work" / bench.plant("big.json", CASSETTE)
    opened = store._Open(path)
    path.write_bytes(edited(count))
    bench.planted[path] = path.read_bytes()
    return opened.bytes(0, 9)


def folder_of_that_name(bench: Bench) -> object:
    Path("week.json").mkdir()
    return store.load(Path("week.json"))


def twice_one_member(bench: Bench) -> object:
    twice = CASSETTE.replace(b'"lowGlucoseThreshold":', f'"{NAME}":"{PASSWORD}","{NAME}":{SERIAL},"lowGlucoseThreshold":'.encode(), 1)
    return store.load_exactly(bench.folder / "work" / bench.plant("twice.json", sealed(twice)))


def an_empty_record(_: Bench) -> object:
    legacy = (ROOT / "cassettes" / "session-2025.json").read_bytes().replace(b"Given1", NAME.encode())
    return reading.loads(sealed(re.sub(rb'"[0-9a-f]{52}"', f'"{PASSWORD}"'.encode(), legacy, count=1)), "x.json")


def a_pipe(_: Bench) -> object:
    os.mkfifo("week.json")
    return store.load(Path("week.json"))


TFX: tuple[Call, ...] = (
    without("trustme", lambda _: Authority([f"{NAME}.example.org"], name="x")),
    lambda _: codec.codings(Headers([("Content-Encoding", NAME)])),
    lambda _: codec.decoded(Headers([("Content-Encoding", "gzip")]), b"\x1f\x8b" + PASSWORD.encode()),
    lambda _: codec.decoded(Headers([("Content-Encoding", "deflate")]), b"x\x9c" + PASSWORD.encode()),
    lambda _: jsonbody.parse(f'{{"{NAME}": NaN, "{PASSWORD}": 1}}'.encode()),
    lambda _: jsonbody.parse(b'{"a":' * 5000 + PASSWORD.encode()),
    lambda _: reading.loads(badly_merged(), "x.json"),
    lambda _: reading.loads(edited(names_for_exchanges), "x.json", edited=True),
    *(lambda _, member=member: reading.loads(edited(member), "x.json", edited=True) for member in MEMBERS),
    lambda _: reading.loads(b"<<<<<<< mine\n" + edited(count), "x.json"),
    lambda _: reading.loads(f"{NAME} {{".encode(), "x.json"),
    lambda _: reading.loads(b'{"tfx_cassette": 1, "a": ' + b"[" * 200_000 + PASSWORD.encode(), "x.json"),
    lambda _: reading.loads(b'{"tfx_cassette": 1, "a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "x.json"),
    lambda _: reading.loads(edited(count), "x.json"),
    lambda _: layout.lay_out({NAME: deep(200)}, 64),
    missing_stage,
    port_in_use,
    changed_while_played,
    folder_of_that_name,
    twice_one_member,
    an_empty_record,
    a_pipe,
    lambda _: reading.loads(CASSETTE.replace(b"Given1", NAME.encode()).replace(b"\n", b"\r\n"), "x.json"),
    lambda _: store.load(Path("nowhere.json")),
    lambda b: store.check_target("week", b.folder / "work" / b.plant("folder", PASSWORD)),
    lambda _: store.path_of(f"{NAME}/x", Path()),
)


def deep(levels: int) -> Json:
    value: Json = NAME
    for _ in range(levels):
        value = [value]
    return value


def answer(status: int, body: str = "", what: str = "pumper", url: str = f"https://x.example.org/{UUID}?code={TOKEN}") -> Answer:
    """What the service said, with secrets wherever it may say some."""
    said = body or json.dumps({"firstName": NAME, "access_token": TOKEN})
    return Answer(what=what, status=status, url=url, headers={"Set-Cookie": f"idsrv={TOKEN}"}, body=said.encode())


def raised(error: Exception) -> object:
    raise error


def refused(said: Answer) -> object:
    return raised(client._refusal(said, ERAS["2026-10"]))


class Saying:
    """An asker to whom everything is answered with one answer."""

    def __init__(self, said: Answer) -> None:
        self.said, self.region = said, US

    def ask(self, *_: object, **__: object) -> Answer:
        return self.said


def asker(said: Answer) -> Asker:
    return cast("Asker", Saying(said))


def left_alone(_: Bench) -> object:
    class Busy(requests.Session):
        def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
            busy = requests.Response()
            busy.status_code, busy.request, busy.url = 429, request, str(request.url)
            busy.headers["Retry-After"] = "86400"
            busy._content = PASSWORD.encode()
            return busy

    found = Asker(Busy(), region=US, clock=lambda: NOW, sleep=lambda _: None)
    return found.ask("the tokens", "POST", f"https://x.example.org/{UUID}", headers={"Authorization": TOKEN}, form={"password": PASSWORD})


def token(**claims: Json) -> str:
    now = int(NOW.timestamp())
    return sign({"iss": US.issuer, "aud": "x", "iat": now, "exp": now + 99, "sub": UUID, "email": EMAIL, **claims})


def checked(id_token: str, keys: "Json | None" = None) -> object:
    return login.verified(id_token, jwks() if keys is None else keys, region=US, client_id="x", now=NOW.timestamp())


def event(code: int = 279, **changes: Json) -> dict[str, Json]:
    """An event as the service writes it, with a name for its device."""
    made: dict[str, Json] = {
        "deviceAssignmentId": NAME,
        "eventCode": code,
        "sequenceGroup": 0,
        "sequenceNumber": 7,
        "pumpDateTime": "2026-11-18T10:00:00",
        "eventProperties": {field.name: ([] if field.meaning == "bitmask" else 0) for field in EVENTS[code].fields}
        if code in EVENTS
        else {},
        "estimatedDateTime": "2026-11-18T10:00:00Z",
    }
    return {**made, **changes}


def of_type(*, meaning: str | None = None, kind: str | None = None) -> tuple[int, Field]:
    """A field of that meaning or type, and the code of an event that has it."""
    return next(
        (code, field)
        for code, one in EVENTS.items()
        for field in one.fields
        if (meaning is None or field.meaning == meaning) and (kind is None or field.type == kind) and field.origin != "spare"
    )


(_WHOLE_CODE, WHOLE), (_MASK_CODE, MASK), (REAL_CODE, REAL) = (
    of_type(kind="uint32"),
    of_type(meaning="bitmask"),
    of_type(kind="float32"),
)
HUGE = 10**30


def changed(change: dict[str, Json], _: Bench) -> object:
    return bff.records_from_events([event() | change])


def properties(**changes: Json) -> object:
    own = dict(cast("Mapping[str, Json]", event()["eventProperties"]))
    return bff.records_from_events([event(eventProperties={**own, **changes})])


def without_property() -> object:
    return bff.records_from_events([event(REAL_CODE, eventProperties={})])


def infinite() -> object:
    built = Records.build(code=REAL_CODE, seconds=[0], sequence=[7], columns={REAL.name: [np.inf]})
    return bff.events_from_records(built, device_assignment_id=NAME)


TANDEM: tuple[Call, ...] = (
    lambda _: answer(200, f'{{"{NAME}": {PASSWORD}').json(),
    lambda _: answer(200, f'{{"{NAME}": NaN}}').json(),
    left_alone,
    lambda _: bff.parts_of_answer([NAME]),
    lambda _: bff.parts_of_answer({"events": NAME, "clockChanges": PASSWORD}),
    lambda _: infinite(),
    *(
        partial(changed, change)
        for change in cast(
            "tuple[dict[str, Json], ...]",
            (
                {"pumpDateTime": NAME},
                {"pumpDateTime": "2026-11-99T10:00:00"},
                {"pumpDateTime": f"{NAME:*>19}"},
                {"pumpDateTime": "2026-11-18 10:00:00"},
                {"pumpDateTime": "1999-11-18T10:00:00"},
                {"eventProperties": NAME},
                {"sequenceNumber": SERIAL},
                {"sequenceNumber": HUGE},
                {"sequenceNumber": -int(SERIAL)},
                {"eventCode": 4001, "eventProperties": {"spareA0": NAME}},
                {"eventCode": 4001, "eventProperties": {"marisol": NAME}},
                {"eventCode": 4001, "eventProperties": {"spareA0": 3}},
            ),
        )
    ),
    lambda _: properties(**{NAME: PASSWORD}),
    lambda _: properties(**{next(iter(cast("dict[str, Json]", event()["eventProperties"]))): PASSWORD}),
    lambda _: without_property(),
    lambda _: members.read([NAME], WHOLE),
    lambda _: members.read([HUGE], WHOLE),
    lambda _: members.read([int(SERIAL) * 10**4], WHOLE),
    lambda _: members.read([NAME], REAL),
    lambda _: members.read([10**400 + int(SERIAL)], REAL),
    lambda _: members.read([1e300], REAL),
    lambda _: members.read([float(f"0.{SERIAL}{SERIAL}")], REAL),
    lambda _: members.read([NAME], MASK),
    lambda _: members.read([[HUGE]], MASK),
    lambda _: members.read([[int(SERIAL)]], MASK),
    lambda _: raised(client._strange(answer(200))),
    lambda _: refused(answer(401)),
    lambda _: refused(answer(404)),
    lambda _: refused(answer(400, f'{{"name": "ZodError", "message": "{PASSWORD}"}}')),
    lambda _: refused(answer(418)),
    lambda _: client.TandemSource(requests.Session(), region=US, era=ERAS["2026-10"], clock=lambda: NOW).pump_events(
        SERIAL, Window(since=DAY, until=DAY)
    ),
    lambda _: client.TandemSource(requests.Session(), region=US, era=ERAS["2026-10"], clock=lambda: NOW)._get(
        "pump-events", {NAME: PASSWORD}
    ),
    lambda _: login._expect_page(answer(500)),
    lambda _: login._authorize(asker(answer(200, url=f"https://x.example.org/?error={PASSWORD}")), PASSWORD, ERAS["2026-10"]),
    lambda _: login._authorize(asker(answer(400)), PASSWORD, ERAS["2026-10"]),
    lambda _: login._redeem(asker(answer(400)), TOKEN, PASSWORD, ERAS["2026-10"]),
    lambda _: login._redeem(asker(answer(200, f'{{"access_token": "{TOKEN}"}}')), TOKEN, PASSWORD, ERAS["2026-10"]),
    lambda _: checked(f"{TOKEN}.{NAME}.x"),
    lambda _: checked(token(aud=NAME)),
    lambda _: checked(token(), {"keys": [{"kid": NAME}]}),
    lambda _: checked(token(iat=int(NOW.timestamp()) + 9000)),
    lambda _: checked(token(exp=int(NOW.timestamp()) - 9000)),
    lambda _: login._text({"email": EMAIL, "sub": ""}, "sub"),
    lambda _: clock.seconds_of_texts([f"{NAME:*>19}"]),
    lambda _: clock.seconds_of_texts(["2026-11-18 10:00:00"]),
    lambda _: objects([NAME, PASSWORD], "pumps"),
    lambda _: Records(rows=np.frombuffer(PASSWORD.encode(), np.uint8)),
    lambda _: Records.parse(PASSWORD.encode()),
    lambda _: Records.from_body(PASSWORD.encode()),
    lambda _: Records.from_body(json.dumps({"a": NAME}).encode()),
    lambda _: Records.from_base64(PASSWORD + "!"),
    lambda _: Records.build(code=279, seconds=[1, 2], sequence=[1, 2, 3]),
    lambda _: built(REAL_CODE, {"nowhere": [1]}),
    lambda _: built(REAL_CODE, {REAL.name: [NAME]}),
    lambda _: built(REAL_CODE, {REAL.name: [1e300]}),
    lambda _: built(_WHOLE_CODE, {WHOLE.name: [NAME]}),
    lambda _: built(_WHOLE_CODE, {WHOLE.name: [-int(SERIAL)]}),
    lambda _: blank(REAL_CODE).with_columns(REAL_CODE, {REAL.name: [int(SERIAL), 2.0]}),
    lambda _: Stamp.parse(NAME),
    lambda _: Stamp.parse("1984-02-31T10:00:00"),
    lambda _: Stamp.parse("1984-02-29T10:00:00").shifted(timedelta(days=10**7)),
    lambda _: Window(since=date(1984, 2, 29), until=date(1984, 2, 28)),
    lambda _: windows(date(1984, 2, 28), date(1984, 2, 29), 0),
    lambda _: Fault.parse("nowhere:1:500"),
    lambda _: Fault.parse("any:1:nothing"),
    lambda _: Fault.parse("any:0:500"),
    lambda _: Fault.parse("any"),
)


def blank(code: int) -> Records:
    return Records.build(code=code, seconds=[0], sequence=[int(SERIAL)])


def built(code: int, columns: Mapping[str, list[object]]) -> object:
    return blank(code).with_columns(code, cast("Mapping[str, list[float]]", columns))
