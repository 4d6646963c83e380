"""`tfx replay` killed without a word: its program ends, too."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tape

from tfx import store

pytestmark = [pytest.mark.proofs, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has such a signal")]
PROGRAM = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(60)"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("words", [("-c", PROGRAM), ("sh", "-c", "echo $$; exec sleep 60")])
def test_a_killed_replay_leaves_no_program_behind_and_says_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "tfx", "replay", str(store.save(tape.session(), tmp_path)), "--", *words]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with (
        (tmp_path / "said").open("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_alive(child)
    time.sleep(0.2)  # the helper of a program in another language ends after it
    assert (tmp_path / "said").read_text() == ""
