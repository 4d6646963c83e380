"""How whoever plays a cassette lets something through that the guard blocks. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from replayer.guard.targets import is_address, is_loopback

Player = Literal["offline", "program", "pytest"]
"""Who plays the cassette: `offline()` in somebody's code, `tfx replay`, the pytest plugin."""
Kind = Literal["loopback", "socket", "host"]

_WAYS: Final[Mapping[tuple[Player, Kind], str]] = MappingProxyType(
    {
        ("offline", "loopback"): 'offline(..., allow=("loopback",))',
        ("offline", "socket"): 'offline(..., allow=("unix:/PATH",))',
        ("offline", "host"): 'offline(..., allow=("ADDRESS",))',
        ("program", "loopback"): "tfx replay --allow loopback",
        ("program", "socket"): "tfx replay --allow unix:/PATH",
        ("program", "host"): "tfx replay --allow ADDRESS",
        ("pytest", "loopback"): "@pytest.mark.loopback, or for every test tfx_allow_loopback = true in the ini file",
        ("pytest", "socket"): "tfx_allow_sockets in the ini file",
    }
)
"""A test that reaches another machine is not offline: the plugin has no word for that."""


def way(player: Player, kind: Kind) -> str:
    """What lets this kind of place through; empty if nothing does."""
    return _WAYS.get((player, kind), "")


def is_host(entry: str) -> bool:
    """Whether an entry of the allow-list can ever fit: a name, an address (both without a port), or the path of a Unix socket."""
    return is_address(entry) or re.fullmatch(r"unix:[/@].+|[\w-]+(\.[\w-]+)*", entry) is not None


def kind_of(host: str) -> Kind:
    """What sort of place a host is, with or without its port, or a Unix socket as the guard has it."""
    if host.startswith("unix:"):
        return "socket"
    name = host[1:].partition("]")[0] if host.startswith("[") else host if host.count(":") > 1 else host.partition(":")[0]
    return "loopback" if is_loopback(name) else "host"
