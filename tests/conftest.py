"""Shared by all tests: markers by folder, factories in one word, settings of the law tests."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# tconnectsync reads it when it is imported, and would bring tokens of earlier runs from its own folder.
os.environ["CACHE_CREDENTIALS"] = "false"

# Prefect makes a folder of its own when it is imported, which a home that may not be written refuses with a warning: here an error.
os.environ.setdefault("PREFECT_HOME", str(Path(sys.prefix) / "prefect"))

# A shell starts its background jobs deaf to Ctrl-C, and every program a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LEVELS = ("unit", "integration", "acceptance", "proofs")
FAST = ("unit",)
"""The levels of which the fast subset runs what is not marked slow and asks for no database; the rest waits for `make test`."""

DATABASES = frozenset({"engine", "stored"})
"""Fixtures that are a database; it works things out for every test that asks for one."""

# The same examples every run: a law that fails on a rare example belongs into a table, not into a flaky suite.
settings.register_profile("tfx", deadline=None, derandomize=True, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tfx")


# Neither first nor last: pytest-randomly has shuffled by now, and `-m` has not chosen yet.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test is marked with the folder it lives in; what needs more than its own process's memory is slow.

    The one that waits longest, for Prefect's server, begins first: begun last, one worker would wait for the other.
    """
    root = Path(__file__).parent
    for item in items:
        level = item.path.relative_to(root).parts[0] if item.path.is_relative_to(root) else ""
        if level in LEVELS:
            item.add_marker(level)
        if (level and level not in FAST) or DATABASES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("prefect") is None)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return Path(__file__).parent.parent
