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


def test_a_killed_replay_leaves_no_program_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tfx", "replay", str(store.save(tape.session(), tmp_path)), "--", "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_alive(child)
