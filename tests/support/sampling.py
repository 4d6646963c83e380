"""Tables of slow, similar rows: some run in `make test`, the others in `make proofs`."""

from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def sampled(*rows: tuple[object, ...], rest: Iterable[tuple[object, ...]]) -> list[ParameterSet]:
    """Parameters of a test: `rows` run in the suite, `rest` are proofs. A row is a tuple, of one argument too."""
    return [*(pytest.param(*row) for row in rows), *(pytest.param(*row, marks=pytest.mark.proofs) for row in rest)]
