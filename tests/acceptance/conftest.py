"""An empty home and its own temporary directory for every workflow."""

from pathlib import Path

import pytest
from machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(everything=tmp_path)
