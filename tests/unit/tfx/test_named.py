"""A cassette is named by its path, or by its name in cassettes/."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from replayer.contents.show import show
from replayer.session import offline
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
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "folder").mkdir()
    for name in ("my-week", "here", "folder"):
        (tmp_path / "cassettes" / f"{name}.json").write_bytes((root / "cassettes" / "session-us.json").read_bytes())
    (tmp_path / "here").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_stands_for_the_file_in_the_folder_of_cassettes(folder: Path) -> None:
    assert folder.is_dir()
    for asked, found, why in ROWS:
        assert named(Path(asked)) == Path(found), why


def test_offline_and_the_commands_take_either(folder: Path) -> None:
    assert folder.is_dir()
    with offline("my-week") as replay:
        assert len(replay.unused) == 10
    assert CliRunner().invoke(show, ["my-week"]).output.startswith("session-us: era 2026-10")
    with pytest.raises(CassetteError, match=r"the cassette my-weak does not exist \(near it: my-week\); record it"), offline("my-weak"):
        pass
