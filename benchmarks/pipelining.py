"""The pipeline's row of `make bench`, beside the floor; `make bench-pipeline` measures more sizes, peers and memory."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import Contest, Rival
from pipeline_history import history
from pipelines import FLOOR, RIVALS, STORE, Work

from tandem.records import Records


class Prepared:
    """A rival with an empty database for every round, opened outside the time taken."""

    def __init__(self, make: Callable[[], Work], body: bytes) -> None:
        self.make, self.body = make, body
        self.ready = make()

    @contextmanager
    def around(self) -> Iterator[None]:
        self.ready = self.make()
        yield

    def work(self) -> None:
        self.ready(iter((self.body,)))


def contest(count: int = 500_000) -> Contest:
    with tempfile.TemporaryDirectory() as folder:
        history(Path(folder) / "records", count)
        body = Records.parse((Path(folder) / "records").read_bytes()).take(slice(count)).to_body()
    rivals = {FLOOR: Prepared(RIVALS[FLOOR], body), STORE: Prepared(RIVALS[STORE], body)}
    return Contest(
        title=f"Storing {count:,} binary events of one answer",
        unit="events",
        target="0.6 x the floor's speed",
        rounds=3,
        rivals=tuple(Rival(name=name, work=one.work, units=count, around=one.around) for name, one in rivals.items()),
    )
