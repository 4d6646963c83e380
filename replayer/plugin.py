"""The pytest plugin: cassettes for tests, network guard, report of unused exchanges. Imports only pytest until it is needed.

    @pytest.mark.cassette("session-us")
    def test_it(cassette): ...

Decision: tfx is installed beside many projects, so the guard is on only where tfx is used: for the whole session, from the end of
collection, as soon as one collected test carries the `cassette` marker; from the very start with the ini option `tfx_block_network =
true`. Loopback is blocked too, unless the ini option `tfx_allow_loopback` or a test's `loopback` marker lets it through. While a cassette
plays, no program is started but those of the ini option `tfx_allow_programs`. An attempt fails the test that made it even if the test
swallowed the error, and the run. Exchanges no test asked for fail a full run (nothing deselected, skipped or stopped) unless they are
allowed (`--tfx-allow-unused`), added up over xdist's workers in the controller.
"""

import os
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import cast

import pytest

from replayer.pytest_plugin import options
from replayer.pytest_plugin.fixtures import (
    FAILED,
    MASKS,
    PARCELS,
    PLAYING,
    SENT,
    TAPES,
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
from replayer.pytest_plugin.run_guard import PASSED, around, block, is_blocked, note_run, unblock
from replayer.pytest_plugin.run_outcome import Node, check_report, finished
from replayer.pytest_plugin.subtests import HidingSubtests

__all__ = ["cassette", "cassettes", "class_cassette", "module_cassette", "warehouse"]

_LINES: pytest.StashKey[Sequence[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the command line and of the ini file."""
    options.add(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Block the network before the first conftest is imported, if the project says so."""
    note_run(early_config)
    if early_config.getini("tfx_block_network") and not early_config.known_args_namespace.tfx_record:
        block(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; block the network now if the project says so."""
    config.addinivalue_line(
        "markers",
        "cassette(name, scope='function', strict_windows=False, signed_in=False, freeze=False, virtual_clock=False, faults=(), "
        "as_era=None, allow_programs=()): "
        "replay this cassette, offline; several markers play together, the closest first",
    )
    config.addinivalue_line("markers", "loopback: this test may connect to loopback")
    check_report(config)
    if config.getoption("tfx_record"):
        _record(config)
    elif config.getini("tfx_block_network"):
        block(config)
    config.pluginmanager.register(Renaming(), "tfx-node-ids")
    config.pluginmanager.register(HidingSubtests(config), "tfx-subtests")
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
    """Unblock the network after the last test, unless the process ends with it."""
    unblock(config)


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
        block(session.config)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A run that leaves tests out says nothing about unused exchanges."""
    if items:
        usage_of(items[0].config).partial = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What this test may reach, its fixtures included."""
    if not is_blocked(item.config):
        return (yield)
    with around(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that swallowed a miss or an attempt to reach the network fails all the same."""
    if not is_blocked(item.config):
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
    item.config.stash[MASKS] = masks = Masks(item.config.stash[SENT].values(public))
    report.longrepr = masks.hide(report.longrepr)  # type: ignore[assignment]  # what it was, with other texts
    report.sections = [(name, masks.hidden(text)) for name, text in report.sections]
    report.user_properties = [(name, masks.hide(value)) for name, value in report.user_properties]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """What a worker of xdist used, added up in the controller."""
    parcel = cast("Node", node).workeroutput.get("tfx") if hasattr(node, "workeroutput") else None
    if parcel:
        usage_of(cast("Node", node).config).add(cast("dict[str, object]", parcel))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A worker sends what it used; who runs the whole judges it."""
    session.config.stash[_LINES] = finished(session, exitstatus)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what failed the run, or what was recorded."""
    lines = config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("tfx", red=not config.stash.get(PASSED, TAPES in config.stash))
        for line in lines:
            terminalreporter.line(line)
