"""Partitions: each whole or not there, made once, made again when what it is made from has changed."""

from pathlib import Path

import duckdb
import orjson
import pytest

from pipeline.running import partitions
from pipeline.running.partitions import MANIFEST, Partition, cassettes_in, make, remove_leftovers, run
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
    real = partitions._manifest
    answers = iter([None])  # the second had looked before the first was done
    monkeypatch.setattr(partitions, "_manifest", lambda path: next(answers, real(path)))
    assert make(*arguments) == first
    assert folder.stat().st_ino == kept
    assert list(tmp_path.iterdir()) == [folder]


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
