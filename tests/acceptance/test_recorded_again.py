"""The committed cassettes are what the stand-in gives, to the byte, and fit for review."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from tfx import cli

LARGEST = 300_000
"""Bytes: what a reviewer's browser still shows."""


@pytest.mark.proofs
@pytest.mark.skipif(shutil.which("make") is None, reason="the recordings are listed in the Makefile")
def test_make_cassettes_gives_the_committed_bytes(root: Path, tmp_path: Path) -> None:
    listed = subprocess.run(
        ["make", "-n", "--no-print-directory", "-o", "install", "cassettes", f"CASSETTES={tmp_path}"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    for line in listed.stdout.splitlines():
        program, *arguments = shlex.split(line)
        assert program.endswith("/tfx")
        assert cli.run(arguments) == 0, line
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in (root / "cassettes").glob("*.json")}


def test_each_is_small_and_follows_the_schema(root: Path) -> None:
    schema = json.loads((root / "tfx/cassette.schema.json").read_bytes())
    for path in (root / "cassettes").glob("*.json"):
        assert path.stat().st_size < LARGEST, path.name
        jsonschema.validate(json.loads(path.read_bytes()), schema)


def test_one_pump_event_a_line(root: Path) -> None:
    lines = (root / "cassettes" / "session-us.json").read_text(encoding="utf-8").splitlines()
    assert {line.count('"eventCode"') for line in lines} == {0, 1}


def test_the_unhappy_one_holds_what_goes_wrong(root: Path) -> None:
    statuses = [exchange["response"]["status"] for exchange in json.loads((root / "cassettes/unhappy-us.json").read_bytes())["exchanges"]]
    assert {401, 500} <= set(statuses)
    assert statuses[-1] == 200
