"""Tables whose rows are dear and of one kind: some rows in `make test`, so that a plain break is noticed, the others in `make proofs`."""

from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def sampled(*rows: tuple[object, ...], rest: Iterable[tuple[object, ...]]) -> list[ParameterSet]:
    """Parameters of a test: `rows` run in the suite, `rest` are proofs. A row is a tuple, of one argument too."""
    return [*(pytest.param(*row) for row in rows), *(pytest.param(*row, marks=pytest.mark.proofs) for row in rest)]
