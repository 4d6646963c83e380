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
        self._unfinished: defaultdict[str, Counter[str]] = defaultdict(Counter)
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
        unrecorded, unfinished = self._unrecorded[names[0]], self._unfinished[names[0]]
        end = tape_libraries(tape, lambda library: unrecorded.update([library]), lambda asked: unfinished.update([asked]))
        try:
            yield
        finally:
            end()
            self._taped.setdefault(names[0], []).extend(tape.exchanges)

    def finish(self) -> tuple[Sequence[str], bool]:
        """Sanitize and write every cassette; lines to tell, and whether every request got a whole answer.

        Raises:
            UsageError: the tests got no answer, asked both clouds, or through a library that cannot be recorded.
            LeakError, RefusedError: the sanitizer's; that cassette was not written.
        """
        lines: list[str] = []
        is_whole = True
        for name, exchanges in self._taped.items():
            order = Order(name=name, cassettes=self._cassettes)
            ran = Ran(exit_code=0, exchanges=tuple(exchanges), unrecorded=self._unrecorded[name], unfinished=self._unfinished[name])
            done = taped(order, ran, datetime.now(UTC))
            lines += [*done.lines, *(f"{warning}." for warning in done.warnings)]
            is_whole = is_whole and done.is_whole
        return lines, is_whole
