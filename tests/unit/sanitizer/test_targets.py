"""No file is lost: not by two inputs of one output, not by what stands there already, not by a report."""

# ruff: noqa: E501  # one row of a table is one line, however wide

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sanitizer.formats import har, vcr
from sanitizer.scrub import Scrubbed
from tfx import cli, store
from tfx.cassette import Cassette
from tfx.store import dumps, load, save

Done = Callable[..., Scrubbed]


def contents() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


@pytest.fixture
def here(scrubbed: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cassettes called week, which differ, in several places; a recording of another tool; reports and what is none."""
    monkeypatch.chdir(tmp_path)
    one = replace(scrubbed("2025").cassette, name="week")
    other = replace(one, exchanges=one.exchanges[:-1])
    for place, cassette in {"d1": one, "d1/s": other, "d2": other, "taken": other, "same": one, "Anna/Lind": one}.items():
        save(cassette, Path(place))
    for place in ("week.har", "h1/import.har", "Marisol.har"):
        Path(place).parent.mkdir(exist_ok=True)
        Path(place).write_bytes(har.write(one))
    Path("notes.md").write_text("what she said")
    Path("rules.md").write_text("")
    Path("loop.json").symlink_to("loop.json")
    Path("link.json").symlink_to("out/week.json")
    os.link("d1/week.json", "hard.json")
    assert cli.run(["sanitize", "--check", "d1/week.json", "--report", "old.json"]) == 0


LOST = [
    ("a name twice", ["d1/week.json", "d2/week.json", "--output", "out"], "d1/week.json and d2/week.json would both become out/week.json, so nothing was written"),
    ("in two folders", ["d1", "d2", "--output", "out"], "d1/week.json and d2/week.json would both become out/week.json"),
    ("of two kinds", ["d1/week.json", "week.har", "--output", "out"], "d1/week.json and week.har would both become out/week.json"),
    ("a chosen name", ["week.har", "--name", "week", "--output", "taken"], "taken/week.json exists, and importing week.har replaces nothing"),
    ("an input that stands there", ["d1/week.json", "taken", "--output", "taken"], "d1/week.json and taken/week.json would both become taken/week.json"),
    ("what an earlier run wrote below", ["d1", "--output", "d1/s"], "d1/s/week.json and d1/week.json would both become d1/s/week.json"),
    ("another one there", ["d1/week.json", "--output", "taken"], "taken/week.json exists and is not what d1/week.json becomes"),
    ("a folder of somebody", ["Anna", "--output", "out"], "Anna/Lind is a folder whose name is not lower-case"),
    ("the file it reads", ["d1/week.json", "--report", "d1/week.json"], "the report d1/week.json would replace d1/week.json, which this command reads or writes"),
    ("in a folder it reads", ["--check", "d1", "--report", "d1/s/../s/week.json"], "would replace d1/s/week.json, which"),
    ("another cassette", ["--check", "d1", "--report", "d2/week.json"], "the report d2/week.json would replace a file of another kind"),
    ("a hard link to it", ["--check", "d1/week.json", "--report", "hard.json"], "the report hard.json would replace d1/week.json, which"),
    ("what it writes", ["week.har", "--output", "out", "--report", "out/week.json"], "the report out/week.json would replace out/week.json, which"),
    ("what it writes, in capitals", ["week.har", "--output", "out", "--report", "out/Week.JSON"], "would replace out/week.json, which"),
    ("a link to what it writes", ["week.har", "--output", "out", "--report", "link.json"], "the report link.json would replace out/week.json, which"),
    ("notes", ["--check", "d1", "--report", "notes.md"], "the report notes.md would replace a file of another kind; name another file"),
    ("the rules", ["--check", "d1", "--policy", "rules.md", "--report", "rules.md"], "would replace rules.md, which this command reads"),
    ("a broken link", ["--check", "d1", "--report", "loop.json"], "cannot write the report loop.json"),
]  # fmt: skip


@pytest.mark.usefixtures("here")
def test_nothing_is_written_where_a_file_would_be_lost(capsys: pytest.CaptureFixture[str]) -> None:
    before = contents()
    for why, arguments, said in LOST:
        assert cli.run(["sanitize", *arguments]) == 2, why
        assert said in capsys.readouterr().err, why
        assert contents() == before, why


@pytest.mark.usefixtures("here")
def test_what_is_written_loses_nothing() -> None:
    before = contents()
    assert cli.run(["sanitize", "d1", "d1/s/week.json", "--output", "out"]) == 0, "folders are kept, and a file named twice is one"
    for name in ("week.json", "s/week.json"):
        assert load(Path("out", name)).exchanges == load(Path("d1", name)).exchanges
    assert cli.run(["sanitize", "d1", "--output", "out"]) == 0, "the same again"
    assert cli.run(["sanitize", "d1/week.json", "--output", "same", "--values", "synthetic"]) == 0, "the same, sanitized in another way"
    assert load(Path("same/week.json")).values == "synthetic"
    Path("d2/week.json").write_bytes(before["d2/week.json"].replace(b'"digest": "sha256:', b'"digest": "sha256:0'))
    assert cli.run(["sanitize", "--edited", "d2/week.json", "--output", "d2"]) == 0, "its own place"
    assert cli.run(["sanitize", "--check", "d1/week.json", "--report", "old.json"]) == 0, "an older report is no loss"
    assert cli.run(["sanitize", "--check", "d1/week.json", "--report", "rules.md"]) == 0, "nor is an empty file"
    assert cli.run(["sanitize", "Marisol.har", "--output", "out", "--report", "out/import-1.json"]) == 0, "the number after the report's"
    assert load(Path("out/import-2.json")).exchanges
    assert cli.run(["sanitize", "h1", "--output", "out"]) == 0, "what is imported stands in the folder itself"
    assert load(Path("out/import.json")).exchanges
    changed = {"d2/week.json", "same/week.json", "old.json", "rules.md", "link.json"}
    assert {name: data for name, data in contents().items() if name in before.keys() - changed} == {
        name: data for name, data in before.items() if name not in changed
    }


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "arguments",
    [
        ["sanitize", "week.har", "--output", "out", "--name", "week"],
        ["sanitize", "d1/week.json", "--output", "out"],
        ["convert", "week.har", "out/week.json"],
        ["convert", "d1/week.json", "out/week.yaml"],
    ],
)
def test_what_another_process_wrote_meanwhile_is_not_replaced(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out").mkdir()

    def meanwhile(cassette: Cassette) -> bytes:
        for name in ("week.json", "week.yaml"):
            Path("out", name).write_bytes(b"another's")
        return dumps(cassette)

    monkeypatch.setattr(store, "dumps", meanwhile)
    monkeypatch.setattr(vcr, "write", lambda cassette, _kind: meanwhile(cassette))
    assert cli.run(arguments) == 2
    assert "week" in capsys.readouterr().err
    assert {path.read_bytes() for path in Path("out").iterdir()} == {b"another's"}
