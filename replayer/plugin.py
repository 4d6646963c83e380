"""The pytest plugin: cassettes for tests, network guard, report of unused exchanges. Imports only pytest until it is needed.

    @pytest.mark.cassette("session-us")
    def test_it(cassette): ...

Decision: tfx is installed beside many projects, so the guard is on only where tfx is used: for the whole session, from the end of
collection, as soon as one collected test carries the `cassette` marker; from the very start with the ini option `tfx_block_network =
true`. Loopback is blocked too, unless the ini option `tfx_allow_loopback` or a test's `loopback` marker lets it through. While a cassette
plays, no program is started but those of the ini option `tfx_allow_programs`. An attempt fails the test that made it even if the test
swallowed the error, and the run. Exchanges no test asked for fail a full run (nothing deselected, skipped or stopped), added up over
xdist's workers in the controller.
"""

import atexit
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

import pytest

from replayer.pytest_plugin.fixtures import (
    FAILED,
    PARCELS,
    PLAYING,
    SENT,
    TAPES,
    USAGE,
    Tapes,
    cassette,
    cassettes,
    class_cassette,
    module_cassette,
    path_of,
    sent_in,
    usage_of,
    warehouse,
)
from replayer.pytest_plugin.markers import is_marked, wanted, wrong
from replayer.pytest_plugin.node_ids import Renaming

if TYPE_CHECKING:
    from replayer.usage.usage import Usage

__all__ = ["cassette", "cassettes", "class_cassette", "module_cassette", "warehouse"]

_GUARD: pytest.StashKey[ExitStack] = pytest.StashKey()
_LINES: pytest.StashKey[list[str]] = pytest.StashKey()
_COUNTED: pytest.StashKey[int] = pytest.StashKey()
_PASSED: pytest.StashKey[bool] = pytest.StashKey()
_FIRST: Final[list[pytest.Config]] = []
_KEPT: Final[list[ExitStack]] = []
"""Guards that last as long as the process."""
_OWNER: Final = os.getpid()


class _Node(Protocol):
    config: pytest.Config
    workeroutput: dict[str, object]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the command line and of the ini file."""
    group = parser.getgroup("tfx", "recorded Tandem Source")
    group.addoption("--cassettes", metavar="DIR", default=None, help="folder the cassette marker looks in (default: cassettes/)")
    group.addoption("--cassette-report", metavar="FILE", default=None, help="write what the run used of which cassette (for tfx prune)")
    group.addoption(
        "--tfx-record",
        action="store_true",
        help="do not replay: let marked tests ask the live service, sanitize, and write their cassettes (refused in CI)",
    )
    parser.addini("tfx_freeze", "set the clock to the cassette's in every test that plays one", type="bool", default=False)
    parser.addini("tfx_virtual_clock", "let waiting cost no time in every test that plays a cassette", type="bool", default=False)
    parser.addini("tfx_cassettes", "folder the cassette marker looks in", default="cassettes")
    parser.addini("tfx_block_network", "block the network from the first moment, marked tests or not", type="bool", default=False)
    parser.addini(
        "tfx_block_programs",
        "let no test start a program, marked or not, but those of tfx_allow_programs (default: as tfx_block_network)",
        type="bool",
        default=None,
    )
    parser.addini("tfx_allow_programs", "programs a test may start while its cassette plays (base names)", type="args", default=[])
    parser.addini("tfx_allow_sockets", "paths of Unix sockets tests may connect to", type="args", default=[])
    parser.addini("tfx_allow_loopback", "let loopback through in every test", type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Block the network before the first conftest is imported, if the project says so."""
    if not _FIRST:
        _FIRST.append(early_config)
    if early_config.getini("tfx_block_network") and not early_config.known_args_namespace.tfx_record:
        _block(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; block the network now if the project says so."""
    config.addinivalue_line(
        "markers",
        "cassette(name, scope='function', strict_windows=False, signed_in=False, freeze=False, virtual_clock=False, faults=(), "
        "as_era=None, allow_programs=()): "
        "replay this cassette, offline; several markers play together, the closest first",
    )
    config.addinivalue_line("markers", "loopback: this test may connect to loopback")
    if config.getoption("tfx_record"):
        _record(config)
    elif config.getini("tfx_block_network"):
        _block(config)
    config.pluginmanager.register(Renaming(), "tfx-node-ids")
    if config.getoption("forked", False):
        config.stash[PARCELS] = Path(tempfile.mkdtemp(prefix="tfx-usage-"))


def _record(config: pytest.Config) -> None:
    if os.environ.get("CI"):
        raise pytest.UsageError("--tfx-record is refused in CI: cassettes are recorded by a person, read and committed")
    if config.getoption("numprocesses", None) or hasattr(config, "workerinput") or config.getoption("forked", False):
        raise pytest.UsageError("--tfx-record records in one process; leave -n and --forked out")
    from tfx.stages import stage

    make = cast("type[Tapes]", stage("recorder.taping:Tapes"))
    sent_in(config)
    config.stash[TAPES] = make(path_of(config, "any").parent)  # type: ignore[call-arg]  # a protocol says nothing of how it is made


def pytest_unconfigure(config: pytest.Config) -> None:
    """Unblock the network after the last test, unless this process has nothing else to do than to end: threads and handlers may linger."""
    if _GUARD not in config.stash:
        return
    if hasattr(config, "workerinput") or (_is_all(config) and os.getpid() == _OWNER):
        _KEPT.append(config.stash[_GUARD])
    else:
        config.stash[_GUARD].close()


def _is_all(config: pytest.Config) -> bool:
    """Whether this run is what the process was started for, and no run inside a run or a program's."""
    started = Path(sys.argv[0])
    return _FIRST[:1] == [config] and ("pytest" in (started.stem, started.parent.name) or started.stem == "py.test")


def _last_word(config: pytest.Config) -> None:
    """Say what was tried after the last test; a run that passed fails by it, for which at this time there is only one way."""
    from replayer.guard.hook import GUARD

    if os.getpid() != _OWNER:
        return
    late = [] if not _KEPT else GUARD.attempts[config.stash.get(_COUNTED, 0) :]
    for attempt in dict.fromkeys(late):
        print(f"tfx: the run fails: blocked after the last test: tried to {attempt}", file=sys.stderr)  # noqa: T201  # pytest's own reporter is gone
    if config.stash.get(_PASSED, False) and late:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(pytest.ExitCode.TESTS_FAILED)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A marked test replays its cassettes whether it asks for the fixture or not, those of the widest scope first."""
    for item in items:
        if not isinstance(item, pytest.Function) or not is_marked(item):
            continue
        scopes = {one.scope for one in wanted(item)}
        names = [f"{scope}_cassette" for scope in ("module", "class") if scope in scopes and not wrong(item)] + ["cassettes"]
        item.fixturenames[:] = [*names, *(name for name in item.fixturenames if name not in names)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """One marked test is enough to block the network for all."""
    if TAPES not in session.config.stash and any(is_marked(item) for item in session.items):
        _block(session.config)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A run that leaves tests out says nothing about unused exchanges."""
    if items:
        usage_of(items[0].config).partial = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test marked `loopback` may connect to it, its fixtures included; programs are refused even if no cassette plays, if ini says so."""
    if _GUARD not in item.config.stash:
        return (yield)
    from replayer.guard.hook import GUARD, LOOPBACK

    with ExitStack() as stack:
        if item.get_closest_marker("loopback"):
            stack.enter_context(GUARD.allowing([LOOPBACK]))
        if _blocks_programs(item.config):
            # Not for longer: xdist's controller, which runs no test, starts its workers.
            stack.enter_context(GUARD.watching(item.config.getini("tfx_allow_programs")))
        return (yield)


def _blocks_programs(config: pytest.Config) -> bool:
    said = config.getini("tfx_block_programs")
    return bool(config.getini("tfx_block_network") if said is None else said)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that swallowed a miss or an attempt to reach the network fails all the same."""
    if _GUARD not in item.config.stash:
        yield
        return
    from replayer.guard.hook import GUARD
    from tfx.errors import TfxError

    before = len(GUARD.attempts)
    yield
    playing = item.stash.get(PLAYING, {})
    mine = [one.name for one in wanted(item) if one.scope == "function"]
    for name, replay in playing.items():
        shared = name not in mine
        try:
            replay.check(idle=not shared)
        except TfxError as error:
            # Its place is in its words: of frames there are only the plugin's.
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        finally:
            if shared:
                replay.forgive()  # the next test of its class or module is not to blame
    if not playing and len(GUARD.attempts) > before:
        raise pytest.fail.Exception(f"the test tried to {GUARD.attempts[before]}, and swallowed the error", pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which cassettes a skipped test would have used; say what was refused where a test failed, for that may be why.

    What clients sent in confidence is taken out of the report, whoever of the plugins put it there.
    """
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    if report.failed and report.when == "call":
        refused = dict.fromkeys(line for replay in item.stash.get(PLAYING, {}).values() for line in replay.refused)
        report.sections += [("tfx", "\n".join(refused))] if refused else []
    if not report.passed and is_marked(item):
        usage_of(item.config).skipped.update(str(path_of(item.config, one.name)) for one in wanted(item))
    if SENT in item.config.stash:
        _hide(report, item)
    return report


def _hide(report: pytest.TestReport, item: pytest.Item) -> None:
    from replayer.pytest_plugin.sent_secrets import Masks

    public = {text for replay in item.stash.get(PLAYING, {}).values() for text in replay.public}
    masks = Masks(item.config.stash[SENT].values(public))
    report.longrepr = masks.hide(report.longrepr)  # type: ignore[assignment]  # what it was, with other texts
    report.sections = [(name, masks.hidden(text)) for name, text in report.sections]
    report.user_properties = [(name, masks.hide(value)) for name, value in report.user_properties]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """What a worker of xdist used, added up in the controller."""
    parcel = cast("_Node", node).workeroutput.get("tfx") if hasattr(node, "workeroutput") else None
    if parcel:
        usage_of(cast("_Node", node).config).add(cast("dict[str, object]", parcel))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A worker sends what it used; who runs the whole judges it."""
    config = session.config
    if TAPES in config.stash:
        _finish(session)
        return
    if PARCELS in config.stash:
        from replayer.usage.usage import collect

        collect(config.stash[PARCELS], usage_of(config))
        config.stash[PARCELS].rmdir()
    usage = config.stash.get(USAGE, None)
    if _GUARD in config.stash:
        from replayer.guard.hook import GUARD

        usage = usage_of(config)
        usage.attempts += GUARD.attempts
        config.stash[_COUNTED] = len(GUARD.attempts)
    if usage is None and not config.getoption("cassette_report"):
        return
    usage = usage_of(config)
    if hasattr(config, "workeroutput"):
        cast("_Node", config).workeroutput["tfx"] = usage.parcel()
        return
    from replayer.usage.usage import verdict

    left_out = _left_out(session, usage) or ("a test of it failed" if exitstatus != pytest.ExitCode.OK else "")
    lines = verdict(usage, config.rootpath, whole=not left_out)
    if lines and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    config.stash[_PASSED] = session.exitstatus == pytest.ExitCode.OK
    config.stash[_LINES] = [*lines, *_report(config, usage, left_out)]


def _report(config: pytest.Config, usage: "Usage", left_out: str) -> list[str]:
    named = config.getoption("cassette_report")
    if not named:
        return []
    import json

    path = config.invocation_params.dir / str(named)
    path.write_text(json.dumps(usage.report(left_out=left_out, root=config.rootpath), indent=1) + "\n", "utf-8")
    return [f"{named} is of a run that left something out, so tfx prune and tfx orphans refuse it: {left_out}"] if left_out else []


def _finish(session: pytest.Session) -> None:
    """Write what was recorded, if every test passed: a failing test never replaces a good cassette."""
    from tfx.errors import TfxError

    config = session.config
    if session.testsfailed or session.exitstatus != pytest.ExitCode.OK:
        config.stash[_LINES] = ["nothing was recorded, for the run failed; the cassettes are as they were"]
        return
    try:
        config.stash[_LINES] = list(config.stash[TAPES].finish())
    except TfxError as error:
        config.stash[_LINES] = [f"nothing was written: {error}"]
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what failed the run, or what was recorded."""
    lines = config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("tfx", red=TAPES not in config.stash)
        for line in lines:
            terminalreporter.line(line)


def _block(config: pytest.Config) -> None:
    if _GUARD in config.stash:
        return
    from replayer.guard.hook import LOOPBACK, blocked

    config.stash[_GUARD] = ExitStack()
    if _is_all(config):
        # Before any test can register a handler: what is registered last is called first.
        atexit.register(_last_word, config)
    if _blocks_programs(config):
        from replayer.programs.child_processes import fork_exec_asking_first

        config.stash[_GUARD].enter_context(fork_exec_asking_first())
    sockets = [f"unix:{path}" for path in config.getini("tfx_allow_sockets")]
    config.stash[_GUARD].enter_context(blocked([*sockets, *([LOOPBACK] if config.getini("tfx_allow_loopback") else [])]))


def _left_out(session: pytest.Session, usage: "Usage") -> str:
    """Why a run says nothing of exchanges that nobody asked for; empty if it left nothing out."""
    config = session.config
    left_out = ("keyword", "lf", "deselect", "ignore", "ignore_glob", "collectonly")
    if usage.partial or any(config.getoption(name, None) for name in left_out):
        return "tests were deselected or ignored"
    if session.shouldstop or session.shouldfail:
        return "it stopped before its last test"
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return ""
    asked = {(config.invocation_params.dir / argument).resolve() for argument in config.args}
    whole = {(config.rootpath / path).resolve() for path in config.getini("testpaths")} or {config.rootpath.resolve()}
    if whole <= asked or config.rootpath.resolve() in asked:
        return ""
    return "paths were named on the command line; name none, or put them into the ini option testpaths if they are all there is"
