"""The network guard: every call, every thread, counted even if swallowed. Addresses are those reserved for documentation."""

import _socket
import asyncio
import contextlib
import importlib
import os
import shutil
import socket
import ssl
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path

import pytest
import tape
from forking import forked

from replayer.guard.children import unguarded
from replayer.guard.hook import GUARD, LOOPBACK, blocked
from replayer.guard.ways import is_host, kind_of
from replayer.session import offline
from tfx.errors import NetworkBlockedError

FAR = ("192.0.2.1", 9)


@pytest.fixture(autouse=True)
def strangers_guard() -> Iterator[None]:
    """This project lets loopback through; a stranger's does not."""
    kept = GUARD._allowed[LOOPBACK]
    GUARD._allowed[LOOPBACK] = 0
    with blocked():
        yield
    GUARD._allowed[LOOPBACK] = kept


@contextlib.contextmanager
def refused(words: str = "replay is offline", times: int = 1) -> Iterator[list[str]]:
    """An attempt that is blocked and counted, and not held against the run."""
    messages: list[str] = []
    with GUARD.expecting():
        before = len(GUARD.attempts)
        with pytest.raises(NetworkBlockedError, match=words) as caught:
            yield messages
        messages.append(str(caught.value))
        assert len(GUARD.attempts) == before + times


def udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def tcp() -> socket.socket:
    return socket.socket()


def unix() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def tls() -> socket.socket:
    return ssl.create_default_context().wrap_socket(tcp(), server_hostname="x")


def with_socket(make: Callable[[], socket.socket], use: Callable[[socket.socket], object]) -> None:
    with make() as one:
        one.settimeout(0.01)
        use(one)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: socket.create_connection(("2001:db8::1", 9), timeout=0.01), r"reach <IPv6 address>:9 \(getaddrinfo\)|connect to <IPv6"),
        (lambda: with_socket(tcp, lambda one: one.connect(FAR)), r"tried to connect to <IPv4 address>:9, at test_guard\.py:\d+; "),
        (lambda: with_socket(tcp, lambda one: one.connect_ex(FAR)), "connect"),
        (lambda: with_socket(udp, lambda one: one.connect(FAR)), "connect"),
        (lambda: with_socket(udp, lambda one: one.sendto(b"x", FAR)), r"send a datagram to <IPv4 address>:9 \(sendto\), at test_"),
        (lambda: with_socket(udp, lambda one: one.sendmsg([b"x"], [], 0, FAR)), r"send a datagram to <IPv4 address>:9 \(sendmsg\)"),
        (lambda: with_socket(tcp, lambda one: _socket.socket.connect(one, FAR)), "connect"),
        (lambda: socket.create_connection(FAR, timeout=0.01), r"reach <IPv4 address>:9 \(getaddrinfo\)|connect"),
        (lambda: socket.getaddrinfo("example.invalid", 80), r"look up <a host that is not Tandem Source's>:80 \(getaddrinfo\)"),
        (lambda: socket.gethostbyname("example.invalid"), r"look up <a host.*> \(gethostbyname\)"),
        (lambda: socket.gethostbyname_ex("example.invalid"), "look up <a host"),
        (lambda: socket.gethostbyaddr("127.0.0.1"), r"look up the name of loopback \(gethostbyaddr\)"),
        (lambda: socket.getnameinfo(("127.0.0.1", 9), 0), r"look up the name of loopback:9 \(getnameinfo\)"),
        (lambda: with_socket(unix, lambda one: one.connect("/run/nobody/docker.sock")), "connect to a Unix socket"),
        (lambda: with_socket(unix, lambda one: one.connect_ex(b"\0abstract")), "connect to a Unix socket"),
        (lambda: with_socket(unix, lambda one: one.sendto(b"x", "/dev/nobody")), "send a datagram to a Unix socket"),
        (lambda: socket.gethostbyaddr("192.0.2.1"), "look up (the name of )?<IPv4 address>"),
        (lambda: socket.getnameinfo(FAR, 0), "look up the name of <IPv4 address>:9"),
        (lambda: with_socket(tcp, lambda one: one.connect(("127.0.0.1", 9))), "connect to loopback:9"),
        (lambda: urllib.request.urlopen("http://example.invalid/", timeout=0.01), r"look up .*, at test_guard\.py"),
        (
            lambda: with_socket(lambda: ssl.create_default_context().wrap_socket(tcp(), server_hostname="x"), lambda s: s.connect(FAR)),
            "conn",
        ),
    ],
)
def test_every_way_out_is_blocked_and_counted(call: Callable[[], object], words: str) -> None:
    with refused(words) as messages:
        call()
    assert "example" not in messages[0]
    assert "192.0.2.1" not in messages[0]


def test_a_host_of_the_service_is_named() -> None:
    with refused(r"look up source\.tandemdiabetes\.com:443 \(getaddrinfo\)"):
        socket.getaddrinfo("source.tandemdiabetes.com", 443)


def test_threads_are_blocked_and_swallowing_does_not_help() -> None:
    def swallow() -> None:
        for _ in range(10):
            with contextlib.suppress(Exception):
                with_socket(tcp, lambda one: one.connect(FAR))

    with GUARD.expecting():
        before = len(GUARD.attempts)
        threads = [threading.Thread(target=swallow) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(GUARD.attempts) == before + 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_that_swallows_is_counted_here() -> None:
    def swallow() -> None:
        with contextlib.suppress(BaseException):
            with_socket(tcp, lambda one: one.connect(FAR))

    with GUARD.expecting():
        before = len(GUARD.attempts)
        forked(swallow)()
        assert GUARD.attempts[before:] == ["reach out from a forked process"]


def test_a_reference_taken_before_the_guard_is_blocked_too() -> None:
    connect = socket.socket.connect
    with refused(), tcp() as one:
        connect(one, FAR)


def test_asyncio_runs_and_cannot_get_out() -> None:
    async def reach() -> None:
        await asyncio.sleep(0)
        await asyncio.open_connection(*FAR)

    with refused():
        asyncio.run(reach())


def test_what_stays_on_the_machine_is_free() -> None:
    before = len(GUARD.attempts)
    first, second = socket.socketpair()
    first.sendall(b"x")
    assert second.recv(1) == b"x"
    first.close()
    second.close()
    with tcp() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
    with socket.socket(socket.AF_UNIX) as one, pytest.raises(FileNotFoundError):
        one.connect("/nowhere/pymp-x1/listener-y2")  # as multiprocessing calls its own
    with GUARD.allowing(["unix:/nowhere/At/all"]), socket.socket(socket.AF_UNIX) as one, pytest.raises(FileNotFoundError):
        one.connect("/nowhere/At/all")
    with GUARD.allowing([LOOPBACK]):
        socket.getnameinfo(("127.0.0.1", 9), socket.NI_NUMERICHOST)
    assert len(GUARD.attempts) == before


def test_a_machine_may_ask_for_itself() -> None:
    before = len(GUARD.attempts)
    mine = socket.gethostname()
    for call in (socket.getfqdn, lambda: socket.gethostbyname(mine), lambda: socket.getaddrinfo("localhost", 80)):
        with contextlib.suppress(OSError):  # a machine need not know itself
            call()
    for name in ("localhost", "LOCALHOST", mine, mine.upper(), mine.partition(".")[0]):
        with contextlib.suppress(OSError):
            socket.gethostbyaddr(name)
    assert len(GUARD.attempts) == before
    with refused("look up <a host"):
        socket.gethostbyname(f"{mine}.example")


def test_loopback_opens_by_name_and_closes_again() -> None:
    with tcp() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with GUARD.allowing([LOOPBACK]), tcp() as one:
            one.connect(listener.getsockname())
        with refused(), tcp() as one:
            one.connect(listener.getsockname())


def test_guards_nest_and_end() -> None:
    with blocked():
        pass
    assert GUARD.is_on
    depth = GUARD._depth
    GUARD._depth = 0
    try:
        with tcp() as one:
            one.settimeout(0.001)
            with contextlib.suppress(OSError):
                one.connect(("127.0.0.1", 9))
    finally:
        GUARD._depth = depth


def test_an_allowed_host_is_let_through() -> None:
    # Only an address is looked up so, and no name server is asked.
    with blocked(["example.invalid"]), pytest.raises(socket.gaierror):
        socket.getaddrinfo("example.invalid", 80, flags=socket.AI_NUMERICHOST)


def test_looking_a_library_up_is_no_program_and_nothing_else_is_let_through_by_it() -> None:
    temporary = "/tmp/tmpx"  # a name; nothing is written
    lookups = (
        ["/sbin/ldconfig", "-p"],
        ["/usr/bin/gcc", "-Wl,-t", "-o", temporary, "-lpango-1.0"],
        ["ld", "-t", "-L", "/opt/lib", "-o", os.devnull, "-lc"],
        ["/usr/bin/objdump", "-p", "-j", ".dynamic", "/usr/lib/libc.so.6"],
        ["uname", "-p"],  # `platform.processor`
    )
    others = (
        ["/sbin/ldconfig"],
        ["gcc", "-wrapper", "sh", "-Wl,-t", "-o", temporary, "-lc"],
        ["ld", "-t", "-o", temporary, "-lc"],
        ["sh", "-p"],
        ["uname", "-a"],
    )
    with_path = {"PATH": os.defpath}
    for words in lookups:
        assert unguarded("subprocess.Popen", (words[0], words, None, with_path)) is None, words
    for words in others:
        name = unguarded("subprocess.Popen", (words[0], words, None, with_path))
        assert name == os.path.basename(words[0]) or not shutil.which(words[0], path=os.defpath), words  # noqa: PTH119  # the guard sees text
    with GUARD.watching():
        assert find_library("nosuchlibraryanywhere") is None


def test_a_packet_socket_is_not_bound_and_a_listener_is() -> None:
    class Packet:  # root alone may have a real one
        family = getattr(socket, "AF_PACKET", 17)

    with refused(r"bind a socket to an address below IP \((AF_PACKET|unknown)\)"):
        sys.audit("socket.bind", Packet(), ("lo", 0))
    with blocked(), tcp() as listener:
        listener.bind(("127.0.0.1", 0))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such module")
def test_a_process_started_below_subprocess_is_looked_at(tmp_path: Path) -> None:
    module = importlib.import_module("_posixsubprocess")
    before = module.fork_exec
    with offline(tape.session()) as replay:
        for programs in ([b"/bin/ls"], [os.fsencode(sys.executable), b"/bin/ls"]):
            with pytest.raises(NetworkBlockedError, match="start ls, which tfx cannot see into"):
                module.fork_exec([b"ls"], programs, True, (), os.fsencode(tmp_path), None)
        replay.forgive()
    assert module.fork_exec is before


def test_a_sub_interpreter_is_not_made() -> None:
    """It would have no audit hooks; what makes one is called otherwise in other Pythons."""
    name = "_xxsubinterpreters" if sys.version_info < (3, 13) else "_interpreters"
    make = importlib.import_module(name).create
    with offline(tape.session()) as replay:
        with pytest.raises(NetworkBlockedError, match="start a sub-interpreter, which tfx cannot see into"):
            importlib.import_module(name).create()
        if sys.version_info < (3, 12):
            with pytest.raises(RuntimeError, match="interpreter creation failed"):
                make()  # a reference taken before
        assert len(replay.blocked) == 1 + (sys.version_info < (3, 12))
        replay.forgive()
    assert importlib.import_module(name).create is make


WAYS = (
    ("offline", "127.0.0.1", 'To let it through: offline(..., allow=("loopback",))'),
    ("offline", "192.0.2.1", 'To let it through: offline(..., allow=("ADDRESS",))'),
    ("program", "127.0.0.1", "To let it through: tfx replay --allow loopback"),
    ("pytest", "127.0.0.1", "To let it through: @pytest.mark.loopback, or for every test tfx_allow_loopback = true in the ini file"),
    ("pytest", "192.0.2.1", "aiohttp, urllib3 or http.client"),
)


def test_a_blocked_attempt_names_the_way_of_who_plays_the_cassette(monkeypatch: pytest.MonkeyPatch) -> None:
    for player, host, words in WAYS:
        monkeypatch.setattr(GUARD, "player", player)
        with blocked(), GUARD.expecting(), pytest.raises(NetworkBlockedError) as refused, socket.socket() as one:
            one.connect((host, 9))
        assert str(refused.value).endswith(words), player


def test_what_sort_of_place_a_host_is() -> None:
    hosts = {"127.0.0.1:8123": "loopback", "[::1]:8123": "loopback", "::1": "loopback", "localhost": "loopback", "unix:/run/x": "socket"}
    assert {host: kind_of(host) for host in hosts} == hosts
    assert {kind_of(host) for host in ("192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1", "ha.example")} == {"host"}


def test_what_can_be_let_through() -> None:
    can = ("loopback", "localhost", "127.0.0.1", "::1", "fe80::1%eth0", "ha.example", "unix:/run/x.sock", "unix:@name")
    cannot = ("", "127.0.0.1:8123", "https://ha.example/", "ha.example:443", "[::1]", "unix:x", "two words", "ha.example.")
    assert ([entry for entry in can if not is_host(entry)], [entry for entry in cannot if is_host(entry)]) == ([], [])
