"""Every command that needs an extra works with that extra alone, and without it names the extra and what pip is told.

Libraries are taken away from a process of their own, where no import finds them.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tfx.extras import EXTRAS

pytestmark = pytest.mark.proofs
DRIVER = """
import contextlib, io, json, sys
from importlib.machinery import PathFinder
gone, commands = json.loads(sys.argv[1])
plain = PathFinder.find_spec
def find_spec(cls, name, path=None, target=None):
    return None if name.partition(".")[0] in gone else plain(name, path, target)
PathFinder.find_spec = classmethod(find_spec)
from tfx.cli import run
told = []
for command in commands:
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = run(command.split())
    told.append([code, err.getvalue()])
print(json.dumps(told))
"""
DATABASE = "--database duckdb:///one.duckdb"
NEEDS = (
    ("simulator and pipeline", "demo"),
    ("simulator", "simulate"),
    ("simulator", "record one --simulated"),
    ("simulator", "verify cassettes/session-us.json --simulated"),
    ("convert", "convert cassettes/session-us.json one.yaml"),
    ("convert", "convert cassettes/session-us.json one.vcr.json"),
    ("convert", "sanitize --output out given.yaml"),
    ("serve", "replay cassettes/session-us.json --serve"),
    ("serve", "replay cassettes/session-us.json -- cat /dev/null"),
    ("pipeline", "pipeline run --cassette session-us"),
    ("pipeline", "pipeline run --cassettes cassettes --output out"),
    ("pipeline", f"pipeline serve {DATABASE}"),
    ("pipeline", f"pipeline check {DATABASE}"),
    ("pipeline", f"pipeline trace {DATABASE} 5"),
    ("pipeline", f"pipeline export {DATABASE} --output out"),
    ("pipeline", f"pipeline rebuild {DATABASE}"),
    ("pipeline", f"pipeline upgrade {DATABASE}"),
)
WORKS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("show cassettes/session-us.json", "sanitize --check cassettes", "convert cassettes/session-us.json one.har"),
    ("simulator",): ("record one --simulated --days 1", "verify cassettes/session-us.json --simulated --era 2026-10"),
    ("convert",): ("convert cassettes/session-us.json one.yaml", "convert one.yaml two.json"),
    ("serve",): ("replay cassettes/session-us.json -- cat /dev/null",),
    ("pipeline",): (f"pipeline run --cassette session-us --zone UTC {DATABASE}", f"pipeline check {DATABASE}"),
}


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    shutil.copytree(root / "cassettes", tmp_path / "cassettes")
    (tmp_path / "given.yaml").write_text("interactions: []\nversion: 1\n")
    return tmp_path


def ran(folder: Path, present: Sequence[str], commands: Sequence[str]) -> list[tuple[str, int, str]]:
    kept = {library for extra in present for library in EXTRAS[extra]}
    gone = sorted({library for libraries in EXTRAS.values() for library in libraries} - kept)
    arguments = [sys.executable, "-c", DRIVER, json.dumps([gone, commands])]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return [(command, code, err) for command, (code, err) in zip(commands, json.loads(done.stdout), strict=True)]


def told(extra: str) -> str:
    pip = re.escape(extra.replace(" and ", ","))
    return rf"needs the extras? {extra} of tfx \(not installed: [\w, ]+\); install with: pip install .*\[{pip}\]\"\.\n$"


def test_without_its_extra_each_command_names_it_and_what_pip_is_told(folder: Path) -> None:
    rows = zip(NEEDS, ran(folder, (), [command for _, command in NEEDS]), strict=True)
    assert [row for (extra, _), row in rows if row[1] != 2 or not re.search(told(extra), row[2])] == []


@pytest.mark.parametrize("present", WORKS, ids=" ".join)
def test_with_its_extra_alone_each_command_works(folder: Path, present: tuple[str, ...]) -> None:
    assert [row for row in ran(folder, present, WORKS[present]) if row[1] != 0] == []


def test_options_of_the_pipeline_name_their_extra(folder: Path) -> None:
    commands = ("pipeline run --cassette session-us --prefect", "pipeline run --cassettes cassettes --output out --runner dask")
    rows = ran(folder, ["pipeline"], commands)
    assert [(code, re.findall(r"needs the extra (\w+)", err)) for _, code, err in rows] == [(2, ["prefect"]), (2, ["dask"])]
    assert not (folder / "out").exists()


MODULES = {"vcrpy": {"vcr", "yaml"}, "fastapi": set()}
"""Distributions whose modules have another name; of fastapi the extra says only which version Prefect can use."""


def test_the_table_of_extras_is_that_of_the_package(root: Path) -> None:
    declared = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    names = {extra: [re.split(r"[\[<>=]", one)[0] for one in wanted] for extra, wanted in declared.items()}
    modules = {
        extra: {module for name in wanted if name != "tandem-tfx" for module in MODULES.get(name, {name.replace("-", "_")})}
        for extra, wanted in names.items()
    }
    assert {extra: set(libraries) - {"prefect" if extra == "dask" else ""} for extra, libraries in EXTRAS.items()} == modules
    assert "tandem-tfx[pipeline]" in declared["prefect"]
    assert "tandem-tfx[prefect]" in declared["dask"]
