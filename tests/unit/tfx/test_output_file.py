"""A file is written whole or not at all. What a report may replace: tests of the commands."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from unittest.mock import Mock

import pytest

from tfx.output_file import write_new, write_whole


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    for data in (b"old", b"new and longer", b""):
        write_whole(file, data)
        assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]


def test_without_room_the_old_one_stays_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.md"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"new")
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"old", [file])


@pytest.mark.parametrize("through", [False, True])
def test_a_link_or_what_it_leads_to_is_replaced(through: bool, tmp_path: Path) -> None:
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_bytes(b"mine")
    link.symlink_to(there)
    write_whole(link, b"new", through_links=through)
    assert (there.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"new" if through else b"mine", b"new", through)


def test_a_pipe_gets_the_bytes_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, b"data")
        assert (os.read(reading, 10), pipe.is_fifo()) == (b"data", True)
    finally:
        os.close(reading)


def test_of_many_that_write_a_new_file_at_once_one_does(tmp_path: Path) -> None:
    file, many = tmp_path / "week.json", 8
    together = Barrier(many)

    def written(number: int) -> bool:
        together.wait()
        try:
            write_new(file, b"%d" % number)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(many) as pool:
        (winner,) = [number for number, has_written in enumerate(pool.map(written, range(many))) if has_written]
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"%d" % winner, [file])
