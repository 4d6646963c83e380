"""Run a Python program with its requests recorded: `python -m recorder.child FD PROGRAM ARGS`, started by `recorder.program`.

Every exchange with Tandem Source is sent through the pipe as soon as it is complete, the library of every connection that is not recorded,
and every request that got no whole answer; the program is not affected.
"""

import os
import runpy
import sys
import threading
from pathlib import Path
from typing import Final

from recorder.libraries import tape_libraries
from recorder.program import EXCHANGE, LENGTH_SIZE, UNFINISHED, UNRECORDED
from recorder.serialized import serialize
from recorder.tape import Tape


def main(arguments: list[str]) -> None:
    """Tape, then become the program."""
    handle, *program = arguments
    pipe = int(handle)
    tape = Tape(lambda exchange: _write(pipe, EXCHANGE, serialize(exchange)))
    tape_libraries(
        tape,
        lambda library: _write(pipe, UNRECORDED, library.encode()),
        lambda asked: _write(pipe, UNFINISHED, asked.encode()),
    )
    if program[0] == "-m":
        sys.argv = program[1:]
        # What `python -m` puts first on the path.
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        sys.path.insert(0, str(Path(program[0]).resolve().parent))
        runpy.run_path(program[0], run_name="__main__")


_WRITING: Final = threading.Lock()


def _write(pipe: int, kind: bytes, letter: bytes) -> None:
    record = kind + len(letter).to_bytes(LENGTH_SIZE, "big") + letter
    with _WRITING:
        while record:
            record = record[os.write(pipe, record) :]


if __name__ == "__main__":
    main(sys.argv[1:])
