"""`pytest --tfx-record`: record what marked tests request from the live service, sanitize it, write it when all tests have passed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import HTTPSHandler

from requests.adapters import HTTPAdapter

from recorder.child import tape_requests, tape_urllib
from recorder.job import keep_no_core, taped
from recorder.order import Order
from recorder.tape import Tape
from tfx import store
from tfx.exchange import Exchange


class Tapes:
    """What is taped, by cassette; memory only. Its repr shows counts."""

    def __init__(self, cassettes: Path) -> None:
        self._cassettes = cassettes
        self._taped: dict[str, list[Exchange]] = {}
        keep_no_core()

    def __repr__(self) -> str:
        return f"Tapes({len(self._taped)} cassettes)"

    @contextmanager
    def recording(self, names: Sequence[str]) -> Iterator[None]:
        """Record onto the first of these cassettes what requests and urllib ask Tandem Source meanwhile.

        Raises:
            UsageError: a cassette of that name could not be written.
        """
        if not names:
            yield
            return
        store.check_target(names[0], self._cassettes)
        tape = Tape()
        before = HTTPAdapter.send, HTTPSHandler.https_open
        tape_requests(tape)
        tape_urllib(tape)
        try:
            yield
        finally:
            HTTPAdapter.send, HTTPSHandler.https_open = before  # type: ignore[method-assign]  # as it was
            self._taped.setdefault(names[0], []).extend(tape.exchanges)

    def finish(self) -> Sequence[str]:
        """Sanitize and write every cassette; lines to tell.

        Raises:
            UsageError: a test asked for nothing, or of both clouds.
            LeakError, RefusedError: the sanitizer's; that cassette was not written.
        """
        lines: list[str] = []
        for name, exchanges in self._taped.items():
            order = Order(name=name, cassettes=self._cassettes)
            lines += taped(order, tuple(exchanges), datetime.now(UTC)).lines
        return lines
