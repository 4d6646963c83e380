"""The pipeline's tables for each committed cassette equal the reviewed ones (`make expected` writes them)."""

import json

import pytest
from golden import EXPECTED, NAMES, outputs, written
from sampling import sampled

from pipeline.models import TABLES

SUITE = ("session-2025", "unhappy-us")
"""One of each wire; the others are proofs."""


@pytest.mark.parametrize("name", sampled(*((name,) for name in SUITE), rest=((name,) for name in NAMES if name not in SUITE)))
def test_a_cassette_gives_the_agreed_tables(name: str) -> None:
    found = {file: written(content) for file, content in outputs(name).items()}
    agreed = {path.name: path.read_text(encoding="utf-8") for path in (EXPECTED / name).iterdir()}
    assert found == agreed


@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_filled_and_nothing_but_unknown_codes_set_aside(name: str) -> None:
    agreed = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (EXPECTED / name).iterdir()}
    rows = {table: agreed[table]["rows"] for table in TABLES}
    assert all(rows.values()), rows
    ((reason, count),) = agreed["summary"]["quarantine"].items()
    assert reason.startswith("unknown code (")
    assert count == agreed["summary"]["unknown_events"]
    assert rows["raw_events"] == rows["events"]


def test_every_golden_folder_belongs_to_a_cassette() -> None:
    assert tuple(sorted(path.name for path in EXPECTED.iterdir())) == NAMES
