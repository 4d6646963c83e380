"""What a pytest run comes to: what its tests used and missed is judged, reported, or sent to the process that does so."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pytest

from replayer.pytest_plugin.fixtures import PARCELS, TAPES, USAGE, usage_of
from replayer.pytest_plugin.run_guard import COUNTED, PASSED, is_blocked

if TYPE_CHECKING:
    from replayer.usage.usage import Usage


class Node(Protocol):
    """The configuration of an xdist worker, or what the controller has of it."""

    config: pytest.Config
    workeroutput: dict[str, object]


def finished(session: pytest.Session, exitstatus: int) -> Sequence[str]:
    """Decide the outcome of the run, or send what this worker used to the controller; lines for the summary."""
    config = session.config
    if TAPES in config.stash:
        return _recorded(session)
    usage = _used(config)
    if usage is None:
        return ()
    if hasattr(config, "workeroutput"):
        cast("Node", config).workeroutput["tfx"] = usage.parcel()
        return ()
    from replayer.usage.usage import unused_lines, verdict

    left_out = _left_out(session, usage) or ("a test of it failed" if exitstatus != pytest.ExitCode.OK else "")
    allowed = bool(config.getoption("tfx_allow_unused") or config.getini("tfx_allow_unused"))
    is_written, reported = _report(config, usage, left_out)
    lines = verdict(usage)
    unused = [] if left_out else unused_lines(usage, config.rootpath, allowed=allowed)
    if (lines or (unused and not allowed) or not is_written) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    config.stash[PASSED] = session.exitstatus == pytest.ExitCode.OK
    return [*lines, *unused, *reported]


def _used(config: pytest.Config) -> "Usage | None":
    """What the run used, its forked processes and its attempts included; None if tfx had no part in it."""
    if PARCELS in config.stash:
        from replayer.usage.usage import collect

        collect(config.stash[PARCELS], usage_of(config))
        config.stash[PARCELS].rmdir()
    if is_blocked(config):
        from replayer.guard.hook import GUARD

        usage_of(config).attempts += GUARD.attempts
        config.stash[COUNTED] = len(GUARD.attempts)
    return usage_of(config) if USAGE in config.stash or config.getoption("cassette_report") else None


def check_report(config: pytest.Config) -> None:
    """See, before the first test, that the report of the run replaces nothing but an older one.

    Raises:
        pytest.UsageError: it would.
    """
    if not config.getoption("cassette_report") or hasattr(config, "workerinput"):
        return
    from tfx.errors import UsageError
    from tfx.output_file import check_output

    try:
        check_output(_report_path(config), "--cassette-report", ('{"tfx_usage":',))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    if not (folder := _report_path(config).parent).is_dir():
        raise pytest.UsageError(f"--cassette-report cannot be written: there is no folder {folder}; make it, or name another file")


def _report_path(config: pytest.Config) -> Path:
    return config.invocation_params.dir / str(config.getoption("cassette_report"))


def _report(config: pytest.Config, usage: "Usage", left_out: str) -> tuple[bool, list[str]]:
    """Write the report, if one was asked for: whether all is well with it, and lines for the summary."""
    named = config.getoption("cassette_report")
    if not named:
        return True, []
    import json

    from tfx.output_file import write_whole

    text = json.dumps(usage.report(left_out=left_out, root=config.rootpath), indent=1) + "\n"
    try:
        write_whole(_report_path(config), text.encode(), through_links=True)
    except OSError as error:
        return False, [f"the run fails: {named} cannot be written ({error.strerror}); name another file, or make room there"]
    return True, [f"{named} is of a run that left something out, so tfx prune and tfx orphans refuse it: {left_out}"] if left_out else []


def _recorded(session: pytest.Session) -> Sequence[str]:
    """Write what was recorded, if every test passed: a failing test never replaces a good cassette."""
    from tfx.errors import TfxError

    config = session.config
    if session.testsfailed or session.exitstatus != pytest.ExitCode.OK:
        return ["nothing was recorded, for the run failed; the cassettes are as they were"]
    try:
        lines, is_whole = config.stash[TAPES].finish()
    except TfxError as error:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return [f"nothing was written: {error}"]
    if not is_whole:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return lines


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
