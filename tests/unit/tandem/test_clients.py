"""Known clients keep no tokens on disk when tfx runs them, unless somebody says so."""

import pytest

from tandem.clients import without_caches


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({}, {"CACHE_CREDENTIALS": "false"}, "tconnectsync would pickle its tokens"),
        ({"CACHE_CREDENTIALS": "true"}, {"CACHE_CREDENTIALS": "true"}, "who says so means it"),
        ({"HOME": "/h"}, {"CACHE_CREDENTIALS": "false", "HOME": "/h"}, "the rest stays"),
    ],
)
def test_what_a_program_is_run_with(before: dict[str, str], after: dict[str, str], why: str) -> None:
    assert without_caches(before) == after, why
