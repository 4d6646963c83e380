"""Put all patches of HTTP libraries on and take them off: the only module that patches other people's code.

requests: `HTTPAdapter.send`, the lowest place requests has, hands over to one requests-mock adapter with one matcher. So redirects,
cookies, hooks and adapters of the user's own run as live, and none of requests-mock's own matching (extra query keys, repeats, later
registrations, folded case), its process-wide lock or its history of live requests comes into play.
urllib.request: `AbstractHTTPHandler.do_open`, below every opener (PyJWT's PyJWKClient asks there). httpx: both transports.
http.client and urllib3 used directly: `connect` (`http_client.py`). aiohttp: the connector's new connections (`aiohttp_transport.py`).
Clients that would keep tokens on disk do not (`token_caches.py`).
A library that is not imported yet is patched when it is; the innermost `answered_by` answers.
"""

import importlib
import importlib.abc
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final
from urllib.parse import urlsplit

from replayer.guard.hook import GUARD
from replayer.stacks.patch import Answer, Patch, Switch, Undo
from tandem.clients import TOKEN_CACHES
from tfx.errors import MismatchError
from tfx.exchange import Request, Response

__tracebackhide__ = True  # pytest --showlocals would print the live request

Holds = Callable[[str], bool]
"""Whether a cassette holds anything of the host of a URL."""

_LOCK: Final = threading.RLock()
_ANSWERS: list[tuple[Answer, Holds]] = []
_UNDO: list[Undo] = []
_HEARERS: list[Callable[[Request], object]] = []


@contextmanager
def answered_by(answer: Answer, holds: Holds) -> Iterator[None]:
    """Every request of these stacks goes to `answer` meanwhile, in every thread; but for hosts the guard lets through and nobody holds."""
    start(answer, holds)
    try:
        yield
    finally:
        with _LOCK:
            _ANSWERS.remove((answer, holds))
            if not _ANSWERS:
                _stop()


@contextmanager
def heard_by(hearer: Callable[[Request], object]) -> Iterator[None]:
    """Pass every request that is answered or missed meanwhile to `hearer` first."""
    _HEARERS.append(hearer)
    try:
        yield
    finally:
        _HEARERS.remove(hearer)


def start(answer: Answer, holds: Holds) -> None:
    """As `answered_by`, for the rest of the process's life."""
    with _LOCK:
        _ANSWERS.append((answer, holds))
        if len(_ANSWERS) == 1:
            _start()


def _answer(request: Request) -> Response:
    for hearer in _HEARERS:
        hearer(request)
    try:
        innermost, _ = _ANSWERS[-1]
    except IndexError:
        raise MismatchError("a request came after its replay had ended; keep threads inside `with offline(...)`") from None
    return innermost(request)


def _is_elsewhere(url: str) -> bool:
    # Whatever the guard would stop anyhow belongs to the cassette: its word on that is the better one.
    if not GUARD.lets_any or not _ANSWERS:
        return False
    host = urlsplit(url).hostname or ""
    return GUARD.lets(host) and not any(holds(url) for _, holds in _ANSWERS)


def _start() -> None:
    for name in PATCHES:
        module = sys.modules.get(name)
        if module is not None:
            _patch(name, module)
    sys.meta_path.insert(0, _FINDER)


def _stop() -> None:
    sys.meta_path.remove(_FINDER)
    for owner, name, original in reversed(_UNDO):
        setattr(owner, name, original)
    _UNDO.clear()


def _patch(name: str, module: ModuleType) -> None:
    where, _, patch = PATCHES[name].partition(":")
    apply: Patch = getattr(importlib.import_module(where), patch)
    _UNDO.extend(apply(module, _SWITCH))


def _replace(owner: type, name: str, new: object) -> Undo:
    original = owner.__dict__[name]
    setattr(owner, name, new)
    return owner, name, original


_SWITCH: Final = Switch(answer=_answer, replace=_replace, is_elsewhere=_is_elsewhere, is_on=lambda: bool(_ANSWERS))
PATCHES: Final[Mapping[str, str]] = {
    "requests": "replayer.stacks.requests_urllib_httpx:patch_requests",
    "urllib.request": "replayer.stacks.requests_urllib_httpx:patch_urllib",
    "httpx": "replayer.stacks.requests_urllib_httpx:patch_httpx",
    "http.client": "replayer.stacks.http_client:patch_http_client",
    "urllib3.connection": "replayer.stacks.http_client:patch_urllib3",
    "aiohttp.connector": "replayer.stacks.aiohttp_transport:patch_aiohttp",
    "_posixsubprocess": "replayer.programs.child_processes:patch_fork_exec",
    **dict.fromkeys(("_xxsubinterpreters", "_interpreters"), "replayer.guard.interpreters:patch_interpreters"),
    **dict.fromkeys(TOKEN_CACHES, "replayer.stacks.token_caches:patch_token_cache"),
}
"""Module name to what is replaced in it; a package is whole only when its own `__init__` is done."""


class _Finder(importlib.abc.MetaPathFinder):
    """Patches a stack when it is imported after `offline` began; otherwise finds nothing."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The real spec, with a loader that patches when it is done."""
        del target
        if fullname not in PATCHES:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, fullname)
                return spec
        return None


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, name: str) -> None:
        self._loader, self._name = loader, name

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the real loader does, then the patch."""
        self._loader.exec_module(module)
        module.__loader__ = self._loader
        with _LOCK:
            if _ANSWERS:
                _patch(self._name, module)


_FINDER: Final = _Finder()
