"""Headers and output of subtests without what clients sent in confidence: pytest adds them to the report after it was made."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Protocol, cast

import pytest

from replayer.pytest_plugin.fixtures import MASKS


class _Context(Protocol):
    msg: str | None
    kwargs: Mapping[str, object]


class HidingSubtests:
    """The plugin that does it, before anything is printed, written or sent to xdist's controller."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask the message, the parameters and the captured output of a subtest."""
        context = getattr(report, "context", None)
        if MASKS not in self.config.stash or not is_dataclass(context):
            return
        masks, told = self.config.stash[MASKS], cast("_Context", context)
        # Not a new one: it would quote its parameters again.
        object.__setattr__(context, "msg", masks.hide(told.msg))
        shown = {name: value if isinstance(value, str) else repr(value) for name, value in told.kwargs.items()}
        object.__setattr__(context, "kwargs", {masks.hidden(name): masks.hidden(value) for name, value in shown.items()})
        report.sections = [(name, masks.hidden(text)) for name, text in report.sections]
