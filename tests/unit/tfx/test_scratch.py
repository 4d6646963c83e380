import os
import time
from pathlib import Path

import pytest

from tfx.scratch import PREFIX, YOUNG, scratch, sweep


def test_what_a_dead_process_left_is_removed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old = time.time() - 2 * YOUNG
    left, young, strange = tmp_path / f"{PREFIX}left", tmp_path / f"{PREFIX}young", tmp_path / "strange"
    for folder in (left, young, strange):
        folder.mkdir()
        (folder / "report").touch()
    with scratch("replay") as alive:
        assert alive.stat().st_mode & 0o777 == 0o700
        for folder in (left, strange, alive):
            os.utime(folder, (old, old))
        sweep(tmp_path)
        assert set(tmp_path.iterdir()) == {young, strange, alive}
    assert set(tmp_path.iterdir()) == {young, strange}
