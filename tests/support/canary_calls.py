"""Direct calls that end in an error of tfx, with a canary in their arguments: for places that no command line reaches fast.

Here those into `tfx`; those into the other packages stand in canary_wire.py, canary_making.py, canary_using.py and canary_pipeline.py.
A row says nothing of what it reaches: the walk sees that itself.
"""

import hashlib
import json
import os
import re
import socket
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from canary import NAME, PASSWORD, ROOT, SERIAL, Bench

from tandem.regions import REGIONS
from tfx import codec, jsonbody, layout, reading, store
from tfx.authority import Authority
from tfx.exchange import Headers
from tfx.jsonbody import Json
from tfx.loopback import answering
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
    lambda b: store.save(store.loads(CASSETTE, "x"), (b.folder / "work" / b.plant("session-us.json", PASSWORD)).parent, is_new=True),
    lambda b: store.check_target("week", b.folder / "work" / b.plant("folder", PASSWORD)),
    lambda _: store.path_of(f"{NAME}/x", Path()),
)


def deep(levels: int) -> Json:
    value: Json = NAME
    for _ in range(levels):
        value = [value]
    return value
