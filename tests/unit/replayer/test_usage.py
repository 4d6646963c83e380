"""What tests used of cassettes adds up, over workers too."""

import json

from replayer.usage.usage import Usage

LABELS = {1: "GET a", 2: "GET b", 3: "GET c"}


def used(*numbers: int, name: str = "s") -> Usage:
    usage = Usage()
    usage.note(name, numbers, LABELS)
    return usage


def test_two_workers_together_use_what_neither_uses_alone() -> None:
    whole = Usage()
    for worker in (used(1), used(3), used(1, 2, 3, name="t")):
        whole.add(json.loads(json.dumps(worker.parcel())))  # xdist carries plain values only
    assert whole.unused() == {"s": ["s #2 GET b"]}
    assert not whole.partial


def test_a_cassette_of_which_a_test_was_skipped_is_not_judged() -> None:
    usage = used(1)
    usage.skipped.add("s")
    assert usage.unused() == {}


def test_one_partial_worker_makes_the_run_partial_and_attempts_add_up() -> None:
    whole = Usage(attempts=["connect (a)"])
    whole.add(Usage(attempts=["connect (b)"], partial=True, skipped={"x"}).parcel())
    assert (whole.partial, whole.attempts, whole.skipped) == (True, ["connect (a)", "connect (b)"], {"x"})
