"""The pytest plugin: cassettes for tests, no way out to the network, nothing unused. Imports nothing but pytest until it is needed.

    @pytest.mark.cassette("session-us")
    def test_it(cassette): ...

Decision: tfx is installed beside many projects, so the guard is on only where tfx is used: for the whole session, from the end of
collection, as soon as one collected test carries the `cassette` marker; from the very start with the ini option `tfx_block_network =
true`. Loopback is blocked too, unless the ini option `tfx_allow_loopback` or a test's `loopback` marker lets it through. While a cassette
plays, no program is started but those of the ini option `tfx_allow_programs`. An attempt fails the test that made it even if the test
swallowed the error, and the run. Exchanges no test asked for fail a full run (nothing deselected, skipped or stopped), added up over
xdist's workers in the controller.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pytest

if TYPE_CHECKING:
    from replayer.session import Replay
    from replayer.usage import Parcel, Usage
    from tfx.cassette import Cassette

_USAGE: pytest.StashKey["Usage"] = pytest.StashKey()
_LOADED: pytest.StashKey["dict[Path, Cassette]"] = pytest.StashKey()
_GUARD: pytest.StashKey[ExitStack] = pytest.StashKey()
_REPLAY: pytest.StashKey["Replay"] = pytest.StashKey()
_LINES: pytest.StashKey[list[str]] = pytest.StashKey()


class _Node(Protocol):
    config: pytest.Config
    workeroutput: dict[str, object]


MARKER_WORDS = frozenset({"strict_windows", "freeze", "virtual_clock", "faults", "allow_programs"})


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--cassettes DIR`, and what the guard does."""
    group = parser.getgroup("tfx", "recorded Tandem Source")
    group.addoption("--cassettes", metavar="DIR", default=None, help="folder the cassette marker looks in (default: cassettes/)")
    parser.addini("tfx_cassettes", "folder the cassette marker looks in", default="cassettes")
    parser.addini("tfx_block_network", "block the network from the first moment, marked tests or not", type="bool", default=False)
    parser.addini("tfx_allow_programs", "programs a test may start while its cassette plays (base names)", type="args", default=[])
    parser.addini("tfx_allow_loopback", "let loopback through in every test", type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Block the network before the first conftest is imported, if the project says so."""
    if early_config.getini("tfx_block_network"):
        _block(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; block the network now if the project says so."""
    config.addinivalue_line(
        "markers",
        "cassette(name, strict_windows=False, freeze=False, virtual_clock=False, faults=(), allow_programs=()): "
        "replay this cassette, offline",
    )
    config.addinivalue_line("markers", "loopback: this test may connect to loopback")
    if config.getini("tfx_block_network"):
        _block(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Unblock the network after the last test."""
    config.stash.get(_GUARD, ExitStack()).close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A marked test replays its cassette whether it asks for the fixture or not."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("cassette") and "cassette" not in item.fixturenames:
            item.fixturenames.insert(0, "cassette")


def pytest_collection_finish(session: pytest.Session) -> None:
    """One marked test is enough to block the network for all."""
    if any(item.get_closest_marker("cassette") for item in session.items):
        _block(session.config)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A run that leaves tests out says nothing about unused exchanges."""
    if items:
        _usage(items[0].config).partial = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test marked `loopback` may connect to it, its fixtures included."""
    if not item.get_closest_marker("loopback"):
        return (yield)
    from replayer.guard import GUARD, LOOPBACK

    with GUARD.allowing([LOOPBACK]):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that swallowed a miss or an attempt to reach the network fails all the same."""
    __tracebackhide__ = True
    if _GUARD not in item.config.stash:
        yield
        return
    from replayer.guard import GUARD
    from tfx.errors import NetworkBlockedError

    before = len(GUARD.attempts)
    yield
    replay = item.stash.get(_REPLAY, None)
    if replay is not None:
        replay.check()
    elif len(GUARD.attempts) > before:
        raise NetworkBlockedError(f"the test tried to {GUARD.attempts[before]}, and swallowed the error")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which cassettes a skipped test would have used."""
    report = yield
    marker = item.get_closest_marker("cassette")
    if marker and not report.passed and not _misused(marker):
        _usage(item.config).skipped.add(_path(item.config, marker).stem)
    return report


@pytest.fixture
def cassette(request: pytest.FixtureRequest) -> Iterator["Replay"]:
    """The replay of the cassette the test is marked with; everything it asks over HTTP is answered from there."""
    marker = request.node.get_closest_marker("cassette")
    if marker is None:
        pytest.fail('name the cassette of this test: @pytest.mark.cassette("NAME")', pytrace=False)
    from replayer.session import offline
    from tfx.store import load

    config: pytest.Config = request.config
    if wrong := _misused(marker):
        pytest.fail(wrong, pytrace=False)
    path = _path(config, marker)
    loaded = config.stash.setdefault(_LOADED, {})
    if path not in loaded:
        loaded[path] = load(path)
    programs = (*config.getini("tfx_allow_programs"), *marker.kwargs.get("allow_programs", ()))
    with offline(loaded[path], **{**marker.kwargs, "allow_programs": programs}) as replay:
        request.node.stash[_REPLAY] = replay
        yield replay
        _usage(config).note(path.stem, replay.used, replay.labels())


@pytest.fixture
def warehouse() -> Iterator[object]:
    """A migrated in-memory DuckDB engine of one's own."""
    from tfx.stages import stage

    in_memory = cast("_Makes", stage("pipeline.warehouse:in_memory"))
    engine = in_memory()
    yield engine
    engine.dispose()


class _Disposable(Protocol):
    def dispose(self) -> None: ...


class _Makes(Protocol):
    def __call__(self) -> _Disposable: ...


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """What a worker of xdist used, added up in the controller."""
    parcel = cast("_Node", node).workeroutput.get("tfx") if hasattr(node, "workeroutput") else None
    if parcel:
        _usage(cast("_Node", node).config).add(cast("Parcel", parcel))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A worker sends what it used; who runs the whole judges it."""
    config = session.config
    usage = config.stash.get(_USAGE, None)
    if _GUARD in config.stash:
        from replayer.guard import GUARD

        usage = _usage(config)
        usage.attempts += GUARD.attempts
    if usage is None:
        return
    if hasattr(config, "workeroutput"):
        cast("_Node", config).workeroutput["tfx"] = usage.parcel()
        return
    lines = [f"blocked: tried to {attempt}" for attempt in dict.fromkeys(usage.attempts)]
    if _is_full(session, usage) and exitstatus == pytest.ExitCode.OK:
        lines += [f"unused: {line}" for line in usage.unused()]
    config.stash[_LINES] = lines
    if lines and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what failed the run."""
    lines = config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("tfx", red=True)
        for line in lines:
            terminalreporter.line(line)


def _block(config: pytest.Config) -> None:
    if _GUARD in config.stash:
        return
    from replayer.guard import LOOPBACK, blocked

    config.stash[_GUARD] = ExitStack()
    config.stash[_GUARD].enter_context(blocked([LOOPBACK] if config.getini("tfx_allow_loopback") else []))


def _usage(config: pytest.Config) -> "Usage":
    from replayer.usage import Usage

    return config.stash.setdefault(_USAGE, Usage())


def _misused(marker: pytest.Mark) -> str:
    """What is wrong with a marker, empty if nothing: one test fails of it, not the run."""
    if len(marker.args) != 1 or not isinstance(marker.args[0], str):
        return 'the cassette marker takes one name: @pytest.mark.cassette("NAME")'
    strange = sorted(set(marker.kwargs) - MARKER_WORDS)
    return f"the cassette marker knows {', '.join(sorted(MARKER_WORDS))}, and not {', '.join(strange)}" if strange else ""


def _path(config: pytest.Config, marker: pytest.Mark) -> Path:
    folder = config.getoption("cassettes") or config.getini("tfx_cassettes")
    return config.rootpath / str(folder) / f"{marker.args[0].removesuffix('.json')}.json"


def _is_full(session: pytest.Session, usage: "Usage") -> bool:
    config = session.config
    left_out = ("keyword", "lf", "deselect", "ignore", "ignore_glob", "collectonly")
    if usage.partial or session.shouldstop or session.shouldfail or any(config.getoption(name, None) for name in left_out):
        return False
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return True
    asked = {(config.invocation_params.dir / argument).resolve() for argument in config.args}
    whole = {(config.rootpath / path).resolve() for path in config.getini("testpaths")} or {config.rootpath.resolve()}
    return whole <= asked or config.rootpath.resolve() in asked
