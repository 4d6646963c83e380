"""A process led to a cassette: however many threads ask first, there is one replay."""

import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
import tape

from replayer.programs import child
from tandem.regions import SSO_URL
from tfx import store
from tfx.errors import MismatchError
from tfx.exchange import Request

THREADS = 16


@pytest.mark.parametrize(
    ("faults", "expected", "why"),
    [
        ("", {"200": 1, "MismatchError": THREADS - 1}, "an exchange answers once"),
        ("sso-page:1:503", {"503": 1, "200": 1, "MismatchError": THREADS - 2}, "one request is the first"),
    ],
)
def test_threads_that_ask_first_all_at_once_ask_one_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: str, expected: dict[str, int], why: str
) -> None:
    report = tmp_path / "report"
    report.touch()
    given = {child.CASSETTE: str(store.save(tape.session(), tmp_path)), child.REPORT: str(report), child.FAULTS: faults}
    monkeypatch.setattr(child, "_GIVEN", given)
    later, found, start = child._Later(), Counter[str](), threading.Barrier(THREADS)

    def ask() -> None:
        start.wait()
        try:
            found[str(later.answer(Request(method="GET", url=SSO_URL)).status)] += 1
        except MismatchError as error:
            found[type(error).__name__] += 1

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=ask) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert found == expected, why
