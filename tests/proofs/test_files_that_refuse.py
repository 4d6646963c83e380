"""A database that may only be read, an export that finds no room or is interrupted: said in words, and nothing is left half done."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import pipeline

pytestmark = pytest.mark.proofs


@pytest.fixture(scope="module")
def database(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("full") / "w.duckdb"
    cassette = str(root / "cassettes" / "session-us.json")
    done = CliRunner().invoke(pipeline, ["run", "--cassette", cassette, "--zone", "UTC", "--database", f"duckdb:///{file}"])
    assert done.exit_code == 0, done.output
    return file


COMMANDS = """
import contextlib, io, json, resource, sys
from tfx.cli import run
limit, *commands = json.loads(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
ends = []
for command in commands:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = run(["pipeline", *command])
    ends.append((code, out.getvalue(), err.getvalue()))
print(json.dumps(ends))
"""


def ends(*commands: tuple[str, ...], before: tuple[str, ...] = (), limit: int = 0) -> list[tuple[int, str, str]]:
    """Exit code, output and errors of each command, all in one process; `limit` is how many bytes a file may have there."""
    line = [*before, sys.executable, "-c", COMMANDS, json.dumps([limit, *commands])]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return [(code, out, err) for code, out, err in json.loads(done.stdout)]


@pytest.fixture
def read_only(database: Path, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "kept"
    folder.mkdir()
    file = folder / "w.duckdb"
    shutil.copy(database, file)
    file.chmod(0o444)
    folder.chmod(0o555)
    yield file
    folder.chmod(0o755)


def no_master() -> tuple[str, ...]:
    """What takes root's power over files from a command."""
    if os.getuid():
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may write every file, and there is no setpriv to give that up")
    return ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")


def test_a_database_that_may_only_be_read_is_read_and_not_written(read_only: Path, tmp_path: Path, root: Path) -> None:
    content, at, before = read_only.read_bytes(), ("--database", f"duckdb:///{read_only}"), no_master()
    verbs = (("show", *at), ("check", *at), ("trace", *at, "12"), ("export", *at, "--output", str(tmp_path / "out")))
    assert [(code, err) for code, _, err in ends(*verbs, before=before)] == [(0, "")] * 4
    cassette = str(root / "cassettes" / "session-us.json")
    for code, out, err in ends(("run", *at, "--cassette", cassette), ("rebuild", *at), ("upgrade", *at), before=before):
        assert (code, out) == (2, "")
        assert err.startswith(f"tfx: the database {at[1]} cannot be opened as a warehouse (IOException); see that ")
        assert "may be written" in err
    assert [path.name for path in read_only.parent.iterdir()] == ["w.duckdb"]
    assert read_only.read_bytes() == content


def test_an_export_without_room_leaves_nothing(database: Path, tmp_path: Path) -> None:
    """No file may grow beyond 4 kB: the first of an export fit, a later one does not, as on a disk that fills up."""
    arguments = ("export", "--database", f"duckdb:///{database}", "--output", str(tmp_path / "out"), "--format")
    words = f"tfx: the files cannot be written to {tmp_path}: see that its disk has room, and export again.\n"
    kinds = ("parquet", "csv", "nightscout")
    assert ends(*((*arguments, kind) for kind in kinds), limit=4096) == [(2, "", words)] * 3
    assert list(tmp_path.iterdir()) == []


INTERRUPTED = """
import os, signal, threading, time
from pipeline.export import files as export
import tfx.start
copy = export._copy
def strike(folder):
    # Once rows are written: DuckDB hears a signal before the first slice of its work only after the last.
    while sum(one.stat().st_size for one in folder.glob("*boluses*")) < 100_000: time.sleep(0.02)
    os.kill(os.getpid(), signal.NAME)
def interrupted(connection, query, path, options):
    if path.stem == "boluses":
        assert len(list(path.parent.iterdir())) > 5, "half way"
        threading.Thread(target=strike, args=(path.parent,), daemon=True).start()
        query = "FROM range(1_000_000_000_000)"  # longer than anybody waits
    return copy(connection, query, path, options)
export._copy = interrupted
tfx.start.main()
"""


@pytest.mark.parametrize(
    ("name", "kind", "code", "words"),
    [("SIGINT", "parquet", 130, "interrupted"), ("SIGTERM", "csv", 143, "ended by SIGTERM")],
)
def test_an_export_interrupted_half_way_leaves_nothing(name: str, kind: str, code: int, words: str, database: Path, tmp_path: Path) -> None:
    arguments = ["pipeline", "export", "--database", f"duckdb:///{database}", "--format", kind, "--output", str(tmp_path / "out")]
    command = [sys.executable, "-c", INTERRUPTED.replace("NAME", signal.Signals[name].name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr.lstrip()) == (code, "", f"tfx: {words}; nothing was left half written.\n")
    assert list(tmp_path.iterdir()) == []
