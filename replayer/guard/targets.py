"""What an audit event would connect to: host and port, in words that are safe to print. Pure, apart from the machine's own name."""

import os
import re
import socket
from typing import Final

__tracebackhide__ = True  # pytest --showlocals would print the live request

CALLS: Final = {
    "socket.connect": "connect to {}",
    "socket.bind": "bind a socket to {}",
    "socket.sendto": "send a datagram to {} (sendto)",
    "socket.sendmsg": "send a datagram to {} (sendmsg)",
    "socket.getaddrinfo": "look up {} (getaddrinfo)",
    "socket.gethostbyname": "look up {} (gethostbyname)",
    "socket.gethostbyaddr": "look up the name of {} (gethostbyaddr)",
    "socket.getnameinfo": "look up the name of {} (getnameinfo)",
}
"""Audit event -> what is said of it, and of which host and port."""
_BACKWARDS: Final = frozenset({"socket.gethostbyaddr", "socket.getnameinfo"})
_LISTENING: Final = frozenset(int(getattr(socket, name)) for name in ("AF_INET", "AF_INET6", "AF_UNIX") if hasattr(socket, name))
"""Families in which what is bound must still connect or name an address to send; a packet socket, once bound, just sends."""
_LOCAL_FAMILIES: Final = frozenset(int(getattr(socket, name)) for name in ("AF_NETLINK", "AF_ALG") if hasattr(socket, name))
_UNIX: Final = int(getattr(socket, "AF_UNIX", -1))
_SOCKET: Final = "unix:"
"""What the allow-list entry of a Unix socket begins with; its path follows, for an abstract one `@` and its name."""
_NAME: Final = "<a host that is not Tandem Source's>"
_FAMILY: Final = "family:"
_PYTHONS_OWN: Final = (
    re.compile(r".*/pymp-[^/]+/listener-[^/]+"),  # multiprocessing: forkserver, managers and queues, in a temporary folder of its own
    re.compile(r"@listener-\d+-\d+"),  # the same, abstract, as newer Pythons prefer
)
"""Names of Unix sockets that Python itself makes and connects to."""
_OWN_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
"""Names every machine has for itself; what it is called besides, `socket.gethostname` says."""
_NO_HOST: Final = frozenset({"", "0.0.0.0", "::", "None"})  # noqa: S104  # "any address" of a listener, not a bind


def target(event: str, args: tuple[object, ...]) -> tuple[str, int | None] | None:
    """The host and port an audit event is about; None where it stays on this machine."""
    if event == "socket.bind":
        family = getattr(args[0], "family", None)
        return None if family in _LISTENING | _LOCAL_FAMILIES else (f"{_FAMILY}{getattr(family, 'name', 'unknown')}", None)
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        family, address = getattr(args[0], "family", None), args[1]
        if family in _LOCAL_FAMILIES or address is None:
            return None
        if family == _UNIX:
            return _unix_socket(address)
        if isinstance(address, tuple) and len(address) > 1:
            return str(address[0]).lower(), address[1] if isinstance(address[1], int) else None
        return str(address).lower(), None
    host, port = args[0], args[1] if event == "socket.getaddrinfo" else None
    if event == "socket.getnameinfo" and isinstance(host, tuple):
        host, port = host[:2]
    name = host.decode("utf-8", "replace") if isinstance(host, bytes) else str(host)
    # A listener asks for its own loopback address; that leaves the machine as little as binding does. Which name an address has may be
    # asked of a server elsewhere, whatever the address.
    is_local = event not in _BACKWARDS and is_loopback(name)
    return None if name in _NO_HOST or is_local or _is_own(name.lower()) else (name.lower(), port if isinstance(port, int) else None)


def _is_own(name: str) -> bool:
    """Whether a machine asks for itself (`socket.getfqdn`, mail and log libraries do): its own name is no way out."""
    mine = socket.gethostname().lower()
    return name in _OWN_NAMES or name in (mine, mine.partition(".")[0])


def _unix_socket(address: object) -> tuple[str, int | None] | None:
    path = os.fsdecode(address) if isinstance(address, str | bytes | os.PathLike) else str(address)
    path = path.replace("\0", "@", 1) if path.startswith("\0") else path
    return None if any(pattern.fullmatch(path) for pattern in _PYTHONS_OWN) else (f"{_SOCKET}{path}".lower(), None)


def is_loopback(host: str) -> bool:
    """Whether it is the machine itself, by address or as `localhost`."""
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def place_words(host: str, port: int | None) -> str:
    """A host and port as a message may name them."""
    from tandem.regions import HOSTS  # the guard must be cheap to load

    if host.startswith(_SOCKET):
        return "a Unix socket"
    if host.startswith(_FAMILY):
        return f"an address below IP ({host.removeprefix(_FAMILY)})"
    # Any other host may be somebody's own; it is not named.
    where = host if host in HOSTS else "loopback" if is_loopback(host) else _shape(host)
    return where if port is None else f"{where}:{port}"


def is_address(host: str) -> bool:
    """Whether it is an IP address, and no name."""
    return _shape(host) != _NAME


def _shape(host: str) -> str:
    for family, words in ((socket.AF_INET, "<IPv4 address>"), (socket.AF_INET6, "<IPv6 address>")):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return words
    return _NAME
