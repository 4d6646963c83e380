"""The lock of a replay: a race that is lost without it."""

import contextlib
import threading

import pytest
import tape

from replayer.replay import Replay
from tfx.exchange import Request, Response


def test_the_lock_keeps_two_threads_from_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both threads are held where the queue has been read and not yet moved; without the lock both would have the same answer."""
    url = "https://sso.tandemdiabetes.com/"
    twice = [tape.exchange("GET", url, answer=answer) for answer in (b"a", b"b")]
    replay = Replay(tape.with_exchanges(tape.session(), *twice))
    inside = threading.Barrier(2, timeout=0.3)
    take = type(replay._index).take

    def slow(index: object, *asked: object) -> object:
        entries = next(iter(replay._index._strict.values()))
        before = entries.position
        with contextlib.suppress(threading.BrokenBarrierError):  # nobody else came in: that is the lock
            inside.wait()
        entries.position = before
        return take(index, *asked)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(type(replay._index), "take", slow)
    answers: list[Response] = []
    threads = [threading.Thread(target=lambda: answers.append(replay.answer(Request(method="GET", url=url)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.body for answer in answers) == [b"a", b"b"]
    assert inside.broken, "both were inside at once"
