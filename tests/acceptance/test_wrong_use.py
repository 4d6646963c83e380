"""Every way to go wrong at the command: one paragraph on stderr, nothing on stdout, the contract's exit code."""

import io
import re
from pathlib import Path

import pytest
from machine import Machine

from tfx import cli

CASSETTE = "session-us.json"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "name a verb: record, show"),
        (("rewind",), 2, "there is no verb 'rewind'; the verbs are record, "),
        (("recrd",), 2, "there is no verb 'recrd'. Did you mean 'record'? See: tfx --help"),
        (("pipeline", "trace", "--database", "duckdb:///x", "abc"), 2, "'abc' is not a whole number. See"),
        (("pipeline", "check", "--database", "pump.duckdb"), 2, "pump.duckdb has no duckdb:/// before it; write duckdb:///pump.duckdb"),
        (("record", "x", "--simulated", "--", "x.py"), 2, "start tfx simulate and run tfx record NAME -- PROGRAM"),
        (("show",), 2, "Missing argument 'CASSETTE'"),
        (("show", "missing.json"), 2, "the cassette missing.json does not exist; record it with: tfx record missing"),
        (("show", "truncated.json"), 2, "truncated.json is truncated"),
        (("show", "words.txt"), 2, "words.txt is not a cassette: it is not JSON; name a cassette"),
        (("show", "empty.json"), 2, "empty.json is empty"),
        (("show", "."), 2, ". is a folder, and no cassette; name one of the files in it"),
        (("convert", CASSETTE, "nodir/x.har"), 2, "there is no folder nodir"),
        (("pipeline", "rnu"), 2, "there is no verb 'rnu'. Did you mean 'run'? See: tfx pipeline --help"),
        (("show", "ninetynine.json"), 2, "format version 99, and this tfx reads version 1"),
        (("replay", "missing.json", "--", "x.py"), 2, "does not exist"),
        (("replay", CASSETTE), 2, "PROGRAM"),
        (("replay", CASSETTE, "--", "nowhere.py"), 2, "nowhere.py"),
        (("pipeline",), 2, "name what to do: "),
        (("pipeline", "run", "--cassette", "truncated.json"), 2, "is truncated"),
        (("pipeline", "run", "--cassette", CASSETTE, "--database", "nosuch://x"), 2, "nosuch"),
        (("sanitize", "--check", "missing.json"), 2, "missing.json"),
        (("sanitize", "--check", "truncated.json"), 1, "is truncated"),
        (("record", "Bad Name"), 2, "a cassette's name is"),
        (("record", "x", "--region", "mars"), 2, "mars"),
        (("record", "x", "--since", "2026-13-01"), 2, "'2026-13-01' is not a date, such as 2026-03-01. See"),
        (("record", "x", "--era", "1999"), 2, "1999"),
        (("record", "x"), 2, "TFX_EMAIL"),
    ],
)
def test_a_mistake_is_one_paragraph(
    arguments: tuple[str, ...],
    code: int,
    words: str,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = (root / "cassettes" / CASSETTE).read_bytes()
    (tmp_path / CASSETTE).write_bytes(good)
    (tmp_path / "truncated.json").write_bytes(good[: len(good) // 2])
    (tmp_path / "ninetynine.json").write_bytes(good.replace(b'"tfx_cassette": 1', b'"tfx_cassette": 99'))
    (tmp_path / "words.txt").write_text("some words\n", "utf-8")
    (tmp_path / "empty.json").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in ("TFX_EMAIL", "TFX_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    ended = cli.run(arguments)
    out, err = capsys.readouterr()
    said = err or out
    assert (ended, bool(re.search(r"Traceback|  File \"", err + out))) == (code, False), said
    assert words in said
    assert "\n\n" not in err.strip(), "one paragraph"


def test_so_it_is_in_a_process_of_its_own(machine: Machine) -> None:
    ran = machine.tfx("show", "missing.json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "tfx: the cassette missing.json does not exist; record it with: tfx record missing.\n"
