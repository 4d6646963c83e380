"""Partitions: each whole or not there, made once, made again when what it is made from has changed."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import orjson
import pytest

from pipeline.inspection.report import partitions_as_text
from pipeline.running import manifest
from pipeline.running.manifest import MANIFEST
from pipeline.running.partitions import Partition, cassettes_in, make, remove_leftovers, run
from tfx.errors import UsageError


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small account, and a file that is none."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "unhappy-us.json").write_bytes((Path(__file__).parents[3] / "cassettes" / "unhappy-us.json").read_bytes())
    (folder / "strange.json").write_text('{"x": 1}')
    return folder


@pytest.mark.proofs
@pytest.mark.slow
def test_every_cassette_is_a_partition_and_what_is_none_is_named(study: Path, tmp_path: Path) -> None:
    output = tmp_path / "tables"
    strange, whole = run(study, output, "UTC")
    assert (strange.account, strange.status) == ("strange", "refused")
    assert "is not a tfx cassette" in strange.reason
    assert (whole.account, whole.status) == ("unhappy-us", "written")
    assert [path.name for path in output.iterdir()] == ["account=unhappy-us"]
    rows = duckdb.sql(f"SELECT count(*), any_value(account) FROM read_parquet('{output}/*/raw_events.parquet', hive_partitioning = true)")
    assert rows.fetchall() == [(whole.events, "unhappy-us")]
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    assert run(study, output, "UTC")[1] == Partition(account="unhappy-us", status="there already", events=whole.events)
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before
    assert run(study, output, "Europe/Berlin")[1].status == "written", "another zone gives other instants"
    assert orjson.loads((output / "account=unhappy-us" / MANIFEST).read_bytes())["zone"] == "Europe/Berlin"


@pytest.mark.proofs
@pytest.mark.slow
def test_of_two_that_make_the_same_the_second_throws_its_own_away(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (str(study / "unhappy-us.json"), str(tmp_path), "UTC")
    first = make(*arguments)
    folder = tmp_path / "account=unhappy-us"
    kept = folder.stat().st_ino
    real = manifest.read
    answers = iter([None])  # the second had looked before the first was done
    monkeypatch.setattr(manifest, "read", lambda path: next(answers, real(path)))
    assert make(*arguments) == first
    assert folder.stat().st_ino == kept
    assert list(tmp_path.iterdir()) == [folder]


def _cut(folder: Path) -> str:
    os.truncate(folder / "boluses.parquet", 40)
    return "boluses.parquet is not as it was written"


def _gone(folder: Path) -> str:
    (folder / "events.parquet").unlink()
    (folder / "alarms_and_alerts.parquet").rename(folder / "boluses.parquet")  # whole, and another table's
    return "boluses.parquet is not as it was written; events.parquet is missing"


def _flipped(folder: Path) -> str:
    content = bytearray((folder / "raw_events.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "raw_events.parquet").write_bytes(content)
    return "raw_events.parquet is not as it was written"


def _a_folder(folder: Path) -> str:
    (folder / "events.parquet").unlink()
    (folder / "events.parquet").mkdir()
    return "events.parquet cannot be read (Is a directory)"


def _other_count(folder: Path) -> str:
    told = orjson.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(orjson.dumps(told | {"events": told["events"] + 1}))
    return "_partition.json was altered, or another version of tfx wrote it"


def _no_digests(folder: Path) -> str:
    (folder / MANIFEST).write_bytes(b'{"cassette": "x", "schema": "y", "zone": "UTC", "events": 7')
    return "_partition.json was altered, or another version of tfx wrote it"


DAMAGES: tuple[Callable[[Path], str], ...] = (_cut, _gone, _flipped, _a_folder, _other_count, _no_digests)


def test_whatever_is_not_as_it_was_written_is_named(tmp_path: Path) -> None:
    for damage in DAMAGES:
        folder = tmp_path / damage.__name__
        folder.mkdir()
        for number, table in enumerate(("alarms_and_alerts", "boluses", "events", "raw_events")):
            (folder / f"{table}.parquet").write_bytes(bytes([number]) * 64)
        manifest.write(folder, {"cassette": "x", "schema": "y", "zone": "UTC", "events": 7, "rows": {}, "unread": ""})
        assert (manifest.damage(folder), manifest.is_made_from(manifest.read(folder), {"zone": "UTC"})) == ("", True)
        expected = damage(folder)
        assert expected in manifest.damage(folder), damage.__name__
    assert manifest.damage(tmp_path) == "", "no partition is no damaged one"


@pytest.mark.proofs
@pytest.mark.slow
def test_a_damaged_partition_is_made_again_whole_and_said(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "account=unhappy-us"
    first = run(study, tmp_path, "UTC")[1]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for damage in (_gone, _other_count, _no_digests):
        expected = damage(folder)
        told = run(study, tmp_path, "UTC")
        assert (told[1].status, told[1].events, expected in told[1].damage) == ("written", first.events, True), damage.__name__
        assert partitions_as_text(told).endswith(f"made again unhappy-us: {told[1].damage}")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, damage.__name__
        assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert run(study, tmp_path, "UTC")[1] == replace(first, status="there already")


@pytest.mark.proofs
def test_a_folder_of_somebody_elses_is_left_alone(study: Path, tmp_path: Path) -> None:
    (tmp_path / "account=unhappy-us").mkdir()
    (tmp_path / "account=unhappy-us" / "notes").write_text("mine")
    told = make(str(study / "unhappy-us.json"), str(tmp_path), "UTC")
    assert (told.status, "exists and is not a partition" in told.reason) == ("refused", True)
    assert (tmp_path / "account=unhappy-us" / "notes").read_text() == "mine"


def test_what_dead_workers_left_goes_and_nothing_else(tmp_path: Path) -> None:
    for name in (".account=one.x1", ".account=one-more.x2", "account=one"):
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path, [Partition(account="one", status="written")])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".account=one-more.x2", "account=one"]


def test_a_folder_without_cassettes_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no cassette in"):
        cassettes_in(tmp_path)
