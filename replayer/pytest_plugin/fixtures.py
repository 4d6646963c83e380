"""The fixtures of the pytest plugin: cassettes for a test, a class or a module, and a database. Imports only pytest at first.

Every marker on a test is a cassette: the closest answers first, and the next one answers what it does not have. A replay shared by a class
or a module begins with its first fixture, so that one sign-in serves all its tests.
"""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, cast

import pytest

from replayer.pytest_plugin.markers import Wanted, wanted, wrong

if TYPE_CHECKING:
    from replayer.pytest_plugin.sent_secrets import Masks, Sent
    from replayer.replay import Replay
    from replayer.usage.usage import Usage
    from tfx.cassette import Cassette

USAGE: pytest.StashKey["Usage"] = pytest.StashKey()
PLAYING: pytest.StashKey["dict[str, Replay]"] = pytest.StashKey()
"""The replays of a test, class or module by name of the cassette, closest first."""
PARCELS: pytest.StashKey[Path] = pytest.StashKey()
"""Where processes that a plugin forks for a test leave what they used."""
TAPES: pytest.StashKey["Tapes"] = pytest.StashKey()
FAILED: pytest.StashKey[bool] = pytest.StashKey()
"""Whether a test failed, and so said itself what it missed."""
SENT: pytest.StashKey["Sent"] = pytest.StashKey()
"""What tests sent to cassettes in confidence, which no report may show."""
MASKS: pytest.StashKey["Masks"] = pytest.StashKey()
"""What takes it out of the report made last."""
_LOADED: pytest.StashKey["dict[Path, Cassette]"] = pytest.StashKey()
_OWNER = os.getpid()
ACCOUNT: Final = ("TFX_EMAIL", "TFX_PASSWORD")
"""Variables that hold somebody's own account."""


class Tapes(Protocol):
    """What `--tfx-record` puts in the place of replays (`recorder.taping.Tapes`)."""

    def recording(self, names: Sequence[str]) -> AbstractContextManager[None]:
        """Record onto these cassettes what is asked meanwhile."""

    def finish(self) -> tuple[Sequence[str], bool]:
        """Sanitize and write; lines to tell, and whether every request got a whole answer."""


@pytest.fixture(scope="module")
def module_cassette(request: pytest.FixtureRequest) -> Iterator["Replay | None"]:
    """The replay all tests of the module share: `pytestmark = pytest.mark.cassette("NAME", scope="module")`."""
    yield from _shared(request.node, "module", None)


@pytest.fixture(scope="class")
def class_cassette(request: pytest.FixtureRequest) -> Iterator["Replay | None"]:
    """The replay all tests of the class share: `@pytest.mark.cassette("NAME", scope="class")` on the class."""
    yield from _shared(request.node, "class", request.node.getparent(pytest.Module))


@pytest.fixture
def cassettes(request: pytest.FixtureRequest) -> Iterator[Mapping[str, "Replay"]]:
    """The replays of all cassettes that play for this test, by name, closest first."""
    node: pytest.Item = request.node
    if said := wrong(node):
        pytest.fail(said, pytrace=False)
    nothing: dict[str, Replay] = {}
    shared = [around.stash.get(PLAYING, nothing) for around in reversed(node.listchain()[:-1])]
    behind = {name: replay for found in shared for name, replay in found.items()}
    found = [one for one in wanted(node) if one.scope == "function"]
    for mine in _played(node, found, next(iter(behind.values()), None)):
        playing: dict[str, Replay] = {**mine, **behind}
        node.stash[PLAYING] = playing
        yield MappingProxyType(playing)


@pytest.fixture
def cassette(request: pytest.FixtureRequest, cassettes: Mapping[str, "Replay"]) -> "Replay | None":
    """The replay of the closest cassette the test is marked with; everything it asks over HTTP is answered from there."""
    if not wanted(request.node):
        pytest.fail('name the cassette of this test: @pytest.mark.cassette("NAME")', pytrace=False)
    return next(iter(cassettes.values()), None)


@pytest.fixture
def warehouse() -> Iterator[object]:
    """A migrated in-memory DuckDB engine for this test only."""
    from tfx.stages import stage

    in_memory = cast("_Makes", stage("pipeline.store.warehouse:in_memory"))
    engine = in_memory()
    yield engine
    engine.dispose()


class _Disposable(Protocol):
    def dispose(self) -> None: ...


class _Makes(Protocol):
    def __call__(self) -> _Disposable: ...


def _shared(node: pytest.Collector, scope: str, around: pytest.Collector | None) -> Iterator["Replay | None"]:
    found = [one for one in wanted(node) if one.scope == scope]
    if said := wrong(node):
        pytest.fail(said, pytrace=False)
    behind = next(iter(around.stash.get(PLAYING, {}).values()), None) if around else None
    for mine in _played(node, found, behind):
        node.stash[PLAYING] = mine
        yield next(iter(mine.values()), None)
        for replay in mine.values():
            replay.check()


def _played(node: pytest.Item | pytest.Collector, found: Sequence[Wanted], behind: "Replay | None") -> Generator[dict[str, "Replay"]]:
    """The cassettes playing, the first in front of the others, those in front of `behind`; afterwards what was used is noted."""
    config = node.config
    if TAPES in config.stash:
        with config.stash[TAPES].recording([one.name for one in found]):
            yield {}
        return
    from replayer.session import offline
    from replayer.stacks.patches import heard_by

    playing: dict[str, Replay] = {}
    with ExitStack() as stack:
        stack.enter_context(heard_by(sent_in(config).note))
        for one in reversed(found):
            options = {
                "virtual_clock": config.getini("tfx_virtual_clock"),
                "freeze": config.getini("tfx_freeze"),
                **one.options,
                "allow_programs": (*config.getini("tfx_allow_programs"), *cast("tuple[str, ...]", one.options.get("allow_programs", ()))),
            }
            path = path_of(config, one.name)
            behind = _entered(stack, offline(_loaded(config, path), behind=behind, **options))
            playing = {one.name: behind, **playing}
        yield playing
        for name, replay in playing.items():
            _note(config, path_of(config, name), replay, node)


def path_of(config: pytest.Config, name: str) -> Path:
    """Where the cassette of that name stands."""
    folder = config.getoption("cassettes") or config.getini("tfx_cassettes")
    return config.rootpath / str(folder) / f"{name}.json"


def usage_of(config: pytest.Config) -> "Usage":
    """What this run used so far."""
    from replayer.usage.usage import Usage

    return config.stash.setdefault(USAGE, Usage())


def sent_in(config: pytest.Config) -> "Sent":
    """What this run sent so far, and the account in its environment."""
    from replayer.pytest_plugin.sent_secrets import Sent

    if SENT not in config.stash:
        config.stash[SENT] = Sent(filter(None, map(os.environ.get, ACCOUNT)))
    return config.stash[SENT]


def _loaded(config: pytest.Config, path: Path) -> "Cassette":
    from replayer.stacks.outcome import outcome
    from tfx.store import opened

    loaded = config.stash.setdefault(_LOADED, {})
    if path not in loaded:
        found = outcome(partial(opened, path))
        if isinstance(found, Exception):
            where = "" if path.parent.is_dir() else f"; there is no folder {path.parent} either: say where cassettes are with --cassettes"
            pytest.fail(f"{found}{where}", pytrace=False)
        loaded[path] = found
    return loaded[path]


def _entered(stack: ExitStack, playing: AbstractContextManager["Replay"]) -> "Replay":
    """The replay begun; a marker that asks for what cannot be fails its test in a sentence, not with frames of ours."""
    from replayer.stacks.outcome import outcome

    found = outcome(partial(stack.enter_context, playing))
    if isinstance(found, Exception):
        pytest.fail(str(found), pytrace=False)
    return found


def _note(config: pytest.Config, path: Path, replay: "Replay", node: pytest.Item | pytest.Collector) -> None:
    from replayer.usage.usage import Usage, leave

    forked = os.getpid() != _OWNER
    usage = Usage() if forked else usage_of(config)
    if not node.stash.get(FAILED, False):
        usage.unseen += [f"{node.nodeid}: {words}" for words in replay.misses]
    if replay.cassette is _loaded(config, path):
        # Served as another era's, its exchanges have numbers of their own: such a test says nothing of what is used.
        usage.note(str(path), replay.used, replay.labels(), node.nodeid)
    if forked and PARCELS in config.stash:
        leave(config.stash[PARCELS], usage)
