"""A service of a few lines for the client to ask."""

from collections.abc import Callable

import pytest
from small_service import World


@pytest.fixture
def world() -> Callable[..., World]:
    """Makes a service and a client for it."""

    def make(region: str = "us", era: str = "2026-10") -> World:
        return World(region=region, era=era)

    return make
