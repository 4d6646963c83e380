"""vcrpy cassettes, YAML and JSON: read safely, written so that vcrpy itself loads them."""

import gzip
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sanitizer.check import looked_at
from sanitizer.formats import vcr
from sanitizer.formats.nodes import json_file
from sanitizer.formats.recording import capture_of
from sanitizer.formats.safe_yaml import safe_yaml
from sanitizer.scrub import Scrubbed, scrub
from tfx.capture import Capture
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.errors import FormatError, UsageError
from tfx.exchange import Exchange
from tfx.store import dumps

Session = Callable[..., Capture]
Done = Callable[..., Scrubbed]

LOGS = "https://source.tandemdiabetes.com/api/reports/bff/pump-logs/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"


def interaction(url: str = f"{LOGS}?eventCodes=16", body: object = "{}", **headers: object) -> dict[str, object]:
    return {
        "request": {"method": "GET", "uri": url, "body": None, "headers": {"Accept": ["*/*"]}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["application/json"], **{key.replace("_", "-"): value for key, value in headers.items()}},
            "body": {"string": body},
        },
    }


def file(*interactions: object) -> dict[str, object]:
    return {"interactions": list(interactions), "version": 1}


def only(value: object) -> Exchange:
    (one,) = vcr.read(value, "x.yaml").exchanges
    return one


def held(capture: Capture) -> Cassette:
    """A capture where a cassette should be: what vcrpy would have written, secrets and all."""
    return Cassette(name="x", era=capture.era, region=capture.region, clock=capture.clock, policy=1, exchanges=capture.exchanges)


def unpacked(cassette: Cassette) -> list[object]:
    """What vcrpy can carry of each exchange: header lines as a set."""
    return [
        (
            *(one.request.method, one.request.url, one.request.body, sorted(one.request.headers)),
            *(one.response.status, one.response.reason, sorted(one.response.headers.without("content-encoding", "content-length"))),
            decoded(one.response.headers, one.response.body),
        )
        for one in cassette.exchanges
    ]


def opened(data: bytes, form: str) -> object:
    return safe_yaml(data, "x.yaml") if form == "yaml" else json_file(data, "x.json")


@pytest.mark.parametrize(("era", "form"), [("2025", "yaml"), ("2026-10", "json")])
def test_a_session_in_vcrpy_becomes_the_cassette_it_would_have_been(session: Session, scrubbed: Done, era: str, form: str) -> None:
    capture = session(era)
    clean = scrubbed(era).cassette
    through = scrub(capture_of(vcr.read(opened(vcr.write(held(capture), form), form), "x"), "x"), name="x").cassette
    assert [one.request.url for one in through.exchanges] == [one.request.url for one in clean.exchanges]
    assert looked_at(through) == ()
    text = dumps(through)
    assert [one.kind for one in capture.seen if len(one.value) > 7 and one.value.encode() in text] == []


@pytest.mark.parametrize(("era", "form"), [("2025", "yaml"), ("2026-10", "json")])  # long answers as YAML take long to read
def test_a_cassette_comes_back(scrubbed: Done, era: str, form: str) -> None:
    clean = scrubbed(era).cassette
    through = scrub(capture_of(vcr.read(opened(vcr.write(clean, form), form), "x"), "x"), name="x").cassette
    assert unpacked(through) == unpacked(clean)
    assert through.clock == clean.clock


CODED = [
    (b"{}", "gzip", False, "decoded by urllib3 and still labelled"),
    (gzip.compress(b"{}", mtime=0), "gzip", True, "left as it came"),
    (b"{}", "br", False, "a coding tfx does not know, so urllib3 undid it"),
    (b"{}", "identity", False, "says nothing"),
]


@pytest.mark.parametrize(("body", "coding", "stays", "_why"), CODED)
def test_content_encoding_stays_where_it_is_true(body: bytes, coding: str, stays: bool, _why: str) -> None:
    got = only(file(interaction(body=body, Content_Encoding=[coding]))).response
    assert (got.body, "content-encoding" in got.headers) == (body, stays)


def test_what_vcrpy_answers_with_is_labelled_as_it_is(scrubbed: Done) -> None:
    text = vcr.write(scrubbed().cassette, "json").decode()
    assert "Content-Encoding" not in text
    assert "Content-Length" in text


def test_bodies_and_headers_of_every_kind() -> None:
    assert only(file(interaction(body=b"\x00"))).response.body == b"\x00"
    assert only(file(interaction(body=None))).response.body == b""
    assert only(file(interaction(Set_Cookie=["a=1", "b=2"]))).response.headers.all("set-cookie") == ("a=1", "b=2")
    assert only(file(interaction(Age=3))).response.headers.get("age") == "3"


CLOCKS = [
    ({**interaction(Date=["Mon, 05 Oct 2026 18:30:00 GMT"]), "recorded_at": "2026-10-06T10:00:00Z"}, "2026-10-06T10:00:00"),
    ({**interaction(), "recorded_at": "Mon, 05 Oct 2026 18:30:00 GMT"}, "2026-10-05T18:30:00"),
    (interaction(Date=["Mon, 05 Oct 2026 18:30:00 GMT"], body='{"a":"2026-10-07T00:00:00"}'), "2026-10-05T18:30:00"),
    (
        interaction(f"{LOGS}?eventCodes=1&endDate=2026-10-08T00%3A00%3A00Z", body='{"a":"2026-10-07T01:00:00","b":"2031-01-01T00:00:00"}'),
        "2026-10-07T01:00:00",
    ),
    (interaction(f"{LOGS}?eventCodes=1&endDate=2026-10-08"), "2026-10-08T00:00:00"),
    (interaction(f"{LOGS}?eventCodes=1&startDate=2026-10-08&endDate=2999-01-01"), "2026-10-08T00:00:00"),
    (interaction(body='{"a":"2026-10-07T01:00:00.123Z","b":"2099-12-31T00:00:00"}'), "2026-10-07T01:00:00"),
]


@pytest.mark.parametrize(("one", "clock"), CLOCKS)
def test_the_clock_is_the_recordings_own(one: object, clock: str) -> None:
    assert capture_of(vcr.read(file(one), "x"), "x").clock == datetime.fromisoformat(clock).replace(tzinfo=UTC)


def test_without_any_date_the_clock_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"does not say when it was recorded; say it with --clock"):
        capture_of(vcr.read(file(interaction()), "x"), "x")


BROKEN: list[tuple[object, str]] = [
    ([], "is not a vcrpy cassette of version 1; one from before vcrpy 1.0 is migrated with: python -m vcr.migration x"),
    (None, "is not a vcrpy cassette"),
    ({"interactions": []}, "does not end in `version: 1`"),
    ({"interactions": [], "version": 99}, "does not end in `version: 1`"),
    ({"interactions": {}, "version": 1}, "x interactions is not a list"),
    (file(None), r"interactions\[0\] is not an object"),
    (file({"request": {}}), r"interactions\[0\]\.response is not an object"),
    (file(interaction(Age=[None])), r"response\.headers is not a text"),
    (file(interaction(body=["{}"])), r"response\.body is not a text"),
    (file(interaction(body="\ud800")), r"response\.body holds half a character"),
    (file(interaction(body={})), r"response\.body is not a text"),
]


@pytest.mark.parametrize(("value", "said"), BROKEN)
def test_a_broken_file_is_named_by_place(value: object, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        vcr.read(value, "x")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
TRAPS = [
    ("!!python/object/apply:os.system ['true']", "names a type to be built"),
    ("a: !!python/object/new:_io.BytesIO {state: [x]}", "names a type to be built"),
    ("a: !!python/name:os.system", "names a type to be built"),
    ("a: !mine {}", "names a type to be built"),
    (BOMB, "unpacks to a multiple of itself"),
    ("[" * 100 + "]" * 100, "nests too deep"),
    ("&a [*a]", "names what is not there or itself"),
    ("[" * 20_000, "nests too deep"),
    ("a: [", "cannot be read as YAML"),
    ("a: b: c", "cannot be read as YAML"),
    ("a: *nowhere", "names what is not there or itself"),
    ("a: 2026-13-99", "cannot be read as YAML"),
    ("a: 1\na: 2", "cannot be read as YAML"),
    ("- {b: {a: 1, 'a': 2}}", "cannot be read as YAML"),
    ("a\x00b", "cannot be read as YAML"),
    ("a: 1\n---\nb: 2", "cannot be read as YAML"),
    ("? [a]\n: b\n? {c: d}\n: e", "cannot be read as YAML"),
]


@pytest.mark.parametrize(("text", "said"), TRAPS)
def test_a_trap_is_refused_before_it_is_built(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        safe_yaml(text.encode(), "x.yaml")


def test_what_cassettes_of_old_spell_out_is_read() -> None:
    text = b"- !!python/unicode 'a'\n- !!python/str 'b'\n- !!python/tuple [c]\n- !!binary ZA==\n- &e e\n- *e\n"
    assert safe_yaml(text, "x") == ["a", "b", ["c"], b"d", "e", "e"]


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(UsageError, match=r"a cassette of vcrpy needs the extra convert of tfx \(not installed: yaml\); .*\[convert\]"):
        safe_yaml(b"a: 1", "x.yaml")
