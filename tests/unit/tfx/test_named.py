"""A cassette is named by its path, or by its name in cassettes/."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from replayer.contents.show import show
from replayer.session import offline
from tfx import store
from tfx.cli import run
from tfx.errors import CassetteError
from tfx.named import named

ROWS = (
    ("my-week", "cassettes/my-week.json", "its name"),
    ("my-week.json", "cassettes/my-week.json", "its file's name"),
    ("cassettes/my-week.json", "cassettes/my-week.json", "its path"),
    ("cassettes/my-week", "cassettes/my-week.json", "its path without the suffix"),
    ("here", "here", "a file of that very path comes first"),
    ("folder", "cassettes/folder.json", "a folder is no cassette"),
    ("gone", "gone", "what is not there is named as it was asked for"),
    ("cassettes", "cassettes", "a folder that no cassette has the name of"),
    ("", "", "nothing"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    whole = store.load(root / "cassettes" / "session-2025.json")
    (tmp_path / "folder").mkdir()
    for name in ("my-week", "here", "folder"):
        store.save(replace(whole, name=name), tmp_path / "cassettes")
    (tmp_path / "here").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_stands_for_the_file_in_the_folder_of_cassettes(folder: Path) -> None:
    assert folder.is_dir()
    for asked, found, why in ROWS:
        assert named(Path(asked)) == Path(found), why
    assert named(Path("folder"), or_folder=True) == Path("folder"), "where a folder may be meant"
    assert run(["sanitize", "--check", "my-week", "cassettes"]) == 0


def test_offline_and_the_commands_take_either(folder: Path) -> None:
    assert folder.is_dir()
    with offline("my-week") as replay:
        assert len(replay.unused) == 10
    assert CliRunner().invoke(show, ["my-week"]).output.startswith("my-week: era 2025")
    with pytest.raises(CassetteError, match=r"the cassette my-weak does not exist \(near it: my-week\); record it"), offline("my-weak"):
        pass
