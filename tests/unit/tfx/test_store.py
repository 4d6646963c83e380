"""Cassette files: exact, deterministic, and honest about every way a file can be broken."""

import hashlib
import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx import store
from tfx.cassette import Cassette
from tfx.errors import CassetteError, TfxError, UsageError
from tfx.exchange import Exchange, Headers, Request, Response, Terms
from tfx.layout import lay_out
from tfx.skimming import skim
from tfx.stored import Kept, Laid

Make = Callable[..., Cassette]
MakeExchange = Callable[..., Exchange]

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
HEADERS = st.lists(
    st.tuples(TEXT, TEXT).filter(lambda pair: pair[0].lower() not in ("content-length", "content-encoding")), max_size=4
).map(Headers)
EXCHANGES = st.builds(
    lambda headers, body, url, status, repeat: Exchange(
        request=Request(method="POST", url=url, headers=headers, body=body),
        response=Response(status=status, reason="", headers=headers, body=body),
        terms=Terms(repeat=repeat),
    ),
    HEADERS,
    st.binary(max_size=60),
    TEXT,
    st.integers(100, 599),
    st.sampled_from(["once", "last", "cycle"]),
)


@given(st.lists(EXCHANGES, max_size=4))
def test_loading_undoes_dumping(exchanges: list[Exchange]) -> None:
    whole = Cassette(name="x", era="2025", region="eu", clock=datetime(2024, 7, 3, tzinfo=UTC), policy=1, exchanges=tuple(exchanges))
    again = store.loads(store.dumps(whole), "x.json")
    assert again == whole
    assert store.dumps(again) == store.dumps(whole)


@given(st.lists(EXCHANGES, min_size=1, max_size=6), st.integers(1_000, 3_000))
def test_skimming_finds_what_loading_finds_however_the_file_is_cut_into_blocks(exchanges: list[Exchange], block: int) -> None:
    whole = Cassette(name="x", era="2025", region="eu", clock=datetime(2024, 7, 3, tzinfo=UTC), policy=1, exchanges=tuple(exchanges))
    data = store.dumps(whole)
    file = io.BytesIO(data)
    skimmed = skim(lambda size: file.read(min(size, block)), lambda start, end: data[start:end])
    assert skimmed is not None
    assert [one.status for one in skimmed.exchanges] == [one.response.status for one in exchanges]
    assert skimmed == whole
    assert all(isinstance(one.unmade, Kept | Laid) for one in skimmed.exchanges), "no answer stays in memory"
    assert store.dumps(skimmed) == data


def told(read: Callable[[Path], Cassette], path: Path) -> object:
    """The cassette a file gives, or what is said of it."""
    try:
        found = read(path)
        return found, [one.response for one in found.exchanges]
    except TfxError as error:
        return type(error), str(error)


@pytest.mark.parametrize("small", [0, store.SMALL])
def test_opening_says_what_loading_says(
    small: int, cassette: Make, exchange: MakeExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SMALL", small)
    whole = store.dumps(cassette(exchange(), exchange(coding="gzip"), exchange(body=b"[1,12345678901234567890,2.50]")))
    files = [data for data, _ in damaged(whole).values()] + [whole, whole[:-1], whole + b" ", json.dumps(json.loads(whole)).encode()]
    head = json.loads(whole)
    for way in places(head)[1:]:
        broken = {**json.loads(whole), "digest": "sha256:" + "0" * 64}
        node = broken
        for step in way[:-1]:
            node = node[step]
        node[way[-1]] = [None, 7, "x", [], {"x": 1}, 10**30][len(files) % 6]
        files.append(resealed(broken))
    path = tmp_path / "made.json"
    for data in files:
        path.write_bytes(data)
        assert told(store.opened, path) == told(store.load, path)
    assert told(store.opened, tmp_path) == told(store.load, tmp_path)
    assert told(store.opened, tmp_path / "gone.json") == told(store.load, tmp_path / "gone.json")


def test_an_open_file_stays_what_it_was_and_a_changed_one_is_noticed(
    cassette: Make, exchange: MakeExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SMALL", 0)
    path = store.save(cassette(exchange(body=b"[1]")), tmp_path)
    before = store.opened(path)
    store.save(cassette(exchange(body=b"[2]")), tmp_path)
    assert before.exchanges[0].response.body == b"[1]"
    after = store.opened(path)
    path.write_bytes(path.read_bytes().replace(b"[2]", b"[34]"))
    with pytest.raises(CassetteError, match=r"made.json was changed while it was being played; start again"):
        _ = after.exchanges[0].response


def test_a_saved_cassette_loads(cassette: Make, exchange: MakeExchange, tmp_path: Path) -> None:
    made = cassette(exchange(), exchange(coding="gzip", body=b'{"b":2}'))
    path = store.save(made, tmp_path / "deep" / "er")
    assert path == tmp_path / "deep" / "er" / "made.json"
    assert store.load(path) == made
    assert [entry.name for entry in path.parent.iterdir()] == ["made.json"], "nothing temporary is left"


def test_one_event_a_line(cassette: Make, exchange: MakeExchange) -> None:
    events = [{"eventCode": code, "eventProperties": {"bits": [1, 2], "x": 0.5}} for code in range(5)]
    text = store.dumps(cassette(exchange(body=json.dumps({"events": events}, separators=(",", ":")).encode()))).decode()
    assert len([line for line in text.splitlines() if '"eventCode"' in line]) == len(events)


def test_a_file_follows_the_published_schema(cassette: Make, exchange: MakeExchange, root: Path) -> None:
    schema = json.loads((root / "tfx/cassette.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(store.dumps(cassette(exchange(), exchange(coding="gzip")))), schema)


def damaged(data: bytes) -> dict[str, tuple[bytes, str]]:
    return {
        "truncated": (data[: len(data) // 2], "is truncated: it ends in the middle"),
        "empty": (b"", "is empty"),
        "hand edit": (data.replace(b'"OK"', b'"KO"'), "was changed after tfx wrote it"),
        "exchange dropped": (data.replace(b'"exchanges":1', b'"exchanges":2'), "was changed after tfx wrote it"),
        "conflict": (data.replace(b"\n", b"\n<<<<<<< ours\n", 1), "merge conflict markers"),
        "version 99": (data.replace(b'"tfx_cassette": 1', b'"tfx_cassette": 99'), "format version 99, and this tfx reads version 1"),
        "version of eight digits": (data.replace(b'"tfx_cassette": 1', b'"tfx_cassette": 73519284'), "format version unknown to anybody,"),
        "version of thousands": (data.replace(b'"tfx_cassette": 1', b'"tfx_cassette": ' + b"9" * 5000), "more digits than a program reads"),
        "other line ends": (data.replace(b"\n", b"\r\n"), "(CRLF), which its digest excludes; put '*.json -text' into .gitattributes"),
        "no digest": (data.replace(b"sha256:", b"sha257:"), "carries no digest"),
        "another JSON": (b'{"version": 1, "interactions": []}', "is not a tfx cassette"),
        "not JSON": (b"# notes }", "is not JSON"),
        "deep": (b"[" * 100_000 + b"}", "nests too deep"),
    }


@pytest.mark.parametrize("damage", sorted(damaged(b"")))
def test_a_broken_file_is_named_as_what_it_is(damage: str, cassette: Make) -> None:
    data, words = damaged(store.dumps(cassette()))[damage]
    with pytest.raises(CassetteError) as caught:
        store.loads(data, "here.json")
    assert words in str(caught.value)
    assert "here.json" in str(caught.value)


def test_every_single_byte_counts(cassette: Make) -> None:
    data = store.dumps(cassette())
    for position in range(0, len(data), 7):
        flipped = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises(CassetteError):
            store.loads(flipped, "x.json")


def test_a_missing_file_says_how_to_record_it(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="does not exist; record it with: tfx record gone"):
        store.load(tmp_path / "gone.json")


@pytest.mark.parametrize("name", ["", "../up", "Upper", "a/b", "a b", ".hidden", "x" * 81])
def test_a_name_is_a_plain_file_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a cassette's name is"):
        store.path_of(name, tmp_path)


def test_a_failed_write_leaves_the_old_file(cassette: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.save(cassette(), tmp_path)
    before = path.read_bytes()

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UsageError, match="cannot be written: disk full"):
        store.save(cassette(name="made"), tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["made.json"]
    assert path.read_bytes() == before


def resealed(head: object) -> bytes:
    """A file of this JSON with a digest that fits, as somebody would make it who edits by hand and knows how."""
    blank = lay_out(head)  # type: ignore[arg-type]  # parsed JSON
    return blank.replace(b"sha256:" + b"0" * 64, b"sha256:" + hashlib.sha256(blank).hexdigest().encode(), 1)


def places(value: object, way: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, item in inner for place in places(item, (*way, key)))]


@pytest.mark.parametrize("wrong", [None, 7, "x", [], {}, True, [[1]], {"x": 1}, 10**30, 1.5])
def test_a_wrong_type_anywhere_is_refused_or_harmless(wrong: object, cassette: Make, exchange: MakeExchange) -> None:
    whole = json.loads(store.dumps(cassette(exchange(coding="gzip"))))
    whole["digest"] = "sha256:" + "0" * 64
    for way in places(whole)[1:]:
        if way == ("digest",):
            continue
        broken = json.loads(json.dumps(whole))
        node = broken
        for step in way[:-1]:
            node = node[step]
        node[way[-1]] = wrong
        try:
            loaded = store.loads(resealed(broken), "x.json")
            assert all(each.response.status for each in loaded.exchanges), "what loads can be used"
        except TfxError as error:
            assert error.__cause__ is None, "what was there is quoted nowhere"  # noqa: PT017  # half of the claim


@pytest.mark.parametrize(
    ("folder", "words"),
    [("file/below", "Not a directory"), ("file", "File exists"), ("taken", "Is a directory")],
)
def test_a_target_that_cannot_be_written_is_told_before_and_after(folder: str, words: str, cassette: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "made.json").mkdir(parents=True)
    for attempt in (lambda: store.check_target("made", tmp_path / folder), lambda: store.save(cassette(), tmp_path / folder)):
        with pytest.raises(UsageError, match=f"cannot be written: {words}"):
            attempt()


def test_seeing_to_the_target_leaves_nothing(tmp_path: Path) -> None:
    store.check_target("made", tmp_path / "deep" / "er")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_pipe_is_no_cassette_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "week.json")
    for read in (store.load, store.opened):
        with pytest.raises(CassetteError, match=r"week\.json is a pipe or a device"):
            read(tmp_path / "week.json")
