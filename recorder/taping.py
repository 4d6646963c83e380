"""`pytest --tfx-record`: record what marked tests request from the live service, sanitize it, write it when all tests have passed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from recorder.job import keep_no_core, taped
from recorder.libraries import tape_libraries
from recorder.order import Order
from recorder.program import Ran
from recorder.tape import Tape
from tfx import store
from tfx.exchange import Exchange


class Tapes:
    """What is taped, by cassette; memory only. Its repr shows counts."""

    def __init__(self, cassettes: Path) -> None:
        self._cassettes = cassettes
        self._taped: dict[str, list[Exchange]] = {}
        self._unrecorded: defaultdict[str, Counter[str]] = defaultdict(Counter)
        keep_no_core()

    def __repr__(self) -> str:
        return f"Tapes({len(self._taped)} cassettes)"

    @contextmanager
    def recording(self, names: Sequence[str]) -> Iterator[None]:
        """Record onto the first of these cassettes what is fetched from Tandem Source meanwhile.

        Raises:
            UsageError: a cassette of that name could not be written.
        """
        if not names:
            yield
            return
        store.check_target(names[0], self._cassettes)
        tape = Tape()
        end = tape_libraries(tape, lambda library: self._unrecorded[names[0]].update([library]))
        try:
            yield
        finally:
            end()
            self._taped.setdefault(names[0], []).extend(tape.exchanges)

    def finish(self) -> Sequence[str]:
        """Sanitize and write every cassette; lines to tell.

        Raises:
            UsageError: a test asked for nothing, of both clouds, or through a library that cannot be recorded.
            LeakError, RefusedError: the sanitizer's; that cassette was not written.
        """
        lines: list[str] = []
        for name, exchanges in self._taped.items():
            order = Order(name=name, cassettes=self._cassettes)
            ran = Ran(exit_code=0, exchanges=tuple(exchanges), unrecorded=self._unrecorded[name])
            lines += taped(order, ran, datetime.now(UTC)).lines
        return lines
