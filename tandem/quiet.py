"""Silence the log of the HTTP library: its lines name URLs, and URLs contain ids and codes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """No log line of urllib3 while the block lasts: they name URLs, and URLs hold ids and codes."""
    logger = logging.getLogger("urllib3")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
