"""Node ids of parametrized tests without what clients sent in confidence: renamed after the last test, in all that is written then.

Until then pytest, xdist and JUnit's writer find a test again by its id. What is printed earlier (`-v`), and what pytest keeps for the next
run (`.pytest_cache`), has the ids as they are.
"""

from collections.abc import Iterator, Mapping

import pytest

from replayer.pytest_plugin.fixtures import PLAYING, SENT, USAGE, usage_of


class Renaming:
    """The plugin that does it; what workers found is in the controller's usage by then."""

    @pytest.hookimpl(tryfirst=True)  # before the JUnit file is written
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Rename in the JUnit file, the summary and the usage of the run."""
        config = session.config
        if SENT in config.stash:
            found = dict(_without_secrets(session))
            if found:
                usage_of(config).renamed.update(found)
        renamed = config.stash[USAGE].renamed if USAGE in config.stash else {}
        if not renamed or hasattr(config, "workerinput"):
            return
        usage_of(config).rename()
        _in_summary(config, renamed)
        _in_junit(config, {one.partition("[")[2]: other.partition("[")[2] for one, other in renamed.items()})


def _without_secrets(session: pytest.Session) -> Iterator[tuple[str, str]]:
    from replayer.pytest_plugin.sent_secrets import Masks

    sent = session.config.stash[SENT]
    masks = Masks(sent.values())
    for item in session.items:
        test, bracket, parameters = item.nodeid.partition("[")
        if masks.hidden(parameters) != parameters:
            public = {text for replay in item.stash.get(PLAYING, {}).values() for text in replay.public}
            hidden = Masks(sent.values(public)).hidden(parameters)
            if hidden != parameters:
                yield item.nodeid, f"{test}{bracket}{hidden}"


def _in_summary(config: pytest.Config, renamed: Mapping[str, str]) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    for reports in getattr(terminal, "stats", {}).values():
        for report in reports:
            other = renamed.get(getattr(report, "nodeid", ""))
            if other is None:
                continue
            report.nodeid = other
            if isinstance(report, pytest.TestReport):  # a warning has no heading
                file, line, name = report.location
                report.location = (file, line, f"{name.partition('[')[0]}[{other.partition('[')[2]}")


def _in_junit(config: pytest.Config, renamed: Mapping[str, str]) -> None:
    from _pytest.junitxml import xml_key  # there is no public way to what it has collected

    log = config.stash.get(xml_key, None)
    for reporter in log.node_reporters_ordered if log else ():
        element = reporter.to_xml()
        name, bracket, parameters = element.get("name", "").partition("[")
        if parameters in renamed:
            element.set("name", f"{name}{bracket}{renamed[parameters]}")
