"""Run a program in its own network namespace, from which only the proxy can be reached; started by `replayer.programs.seal`.

    python -I sealed.py FD sealed|unsealed PROGRAM ARGS...

FD is one end of a pair of Unix sockets. Upwards go a line that says whether the network is its own, with the listening socket, and at
the end a line with the exit code and the attempts to reach out. Downwards comes the environment of the program, then signals.
Linux only; imports nothing of tfx, so that it starts quickly and whatever Python runs it.
"""  # noqa: INP001  # a script

import array
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
DEATH_OF_PARENT = 1
SET_FLAGS, UP = 0x8914, 0x1


def main(handle: int, wanted: str, words: list[str]) -> int:
    """The program's exit code as a shell says it."""
    parent = socket.socket(fileno=handle)
    listener = own_network() if wanted == "sealed" else None
    handles = [] if listener is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener.fileno()]))]
    parent.sendmsg([json.dumps({"own": listener is not None}).encode() + b"\n"], handles)
    if listener is not None:
        listener.close()
    file = parent.makefile("rb")
    environment = json.loads(file.readline())
    try:
        process = subprocess.Popen(words, env=environment)  # noqa: S603  # it is what the user asked to run
    except OSError as error:
        parent.sendall(json.dumps({"error": error.strerror or type(error).__name__}).encode() + b"\n")
        return 127
    # The terminal sends Ctrl-C to the program as well; a polite kill comes to us alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    code = process.wait()
    with contextlib.suppress(BrokenPipeError):  # tfx was killed: nobody wants to know
        parent.sendall(json.dumps({"code": 128 - code if code < 0 else code, "attempts": attempts() if listener else 0}).encode() + b"\n")
    return 0


def own_network() -> socket.socket | None:
    """A listening socket in a network that this process and its children share with nobody; None where that is not allowed."""
    user, group = os.getuid(), os.getgid()
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "prctl"):
        # Killed without a word, tfx could not end the program; without its proxy there is nothing left for it to do.
        library.prctl(DEATH_OF_PARENT, signal.SIGTERM)
    unshare = getattr(library, "unshare", None)
    if unshare is None or unshare(NEW_USER | NEW_NETWORK) != 0:
        return None
    try:
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))
        return socket.create_server(("127.0.0.1", 0), backlog=128)
    except OSError:
        # It is our own all the same, but nothing would be reached there: the parent must know.
        os._exit(3)


def attempts() -> int:
    """How often something wanted to go where no way leads, as the kernel counted for this network."""
    found = 0
    lines = [line.split() for line in Path("/proc/self/net/snmp").read_text("ascii").splitlines() if line.startswith("Ip:")]
    if len(lines) > 1 and "OutNoRoutes" in lines[0]:
        found += int(lines[1][lines[0].index("OutNoRoutes")])
    six = Path("/proc/self/net/snmp6")
    if six.exists():
        found += sum(int(line.split()[1]) for line in six.read_text("ascii").splitlines() if line.startswith("Ip6OutNoRoutes"))
    return found


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
