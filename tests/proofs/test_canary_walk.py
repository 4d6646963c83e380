"""Every command that fails while it holds secrets: no planted secret is in any output, file, log or child process."""

import gzip
import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from canary import CANARIES, EMAIL, NAME, PASSWORD, TOKEN, Bench, Sites, sites_of
from canary_calls import NOW, TFX, Call
from canary_making import RECORDER, SANITIZER
from canary_pipeline import PIPELINE
from canary_rows import ROWS, Row
from canary_using import REPLAYER, SIMULATOR
from canary_wire import TANDEM

from recorder.session import record
from replayer.guard.hook import GUARD
from simulator.account import account
from simulator.proxy import running
from tandem.client import TandemSource
from tandem.faults import Fault

pytestmark = pytest.mark.proofs

SITES = Sites()


def walked(row: Row, bench: Bench) -> Iterator[str]:
    """What went wrong: where a canary was, or an exit code that is another one."""
    SITES.row = row.why
    person = account(identity=77, therapy=3, now=NOW, days=0.25)
    table = [Fault.parse(text) for text in row.fault or ()]
    bench.patch.setattr("time.sleep", lambda _seconds: None)
    for waits in (TandemSource.__init__, record):  # their defaults were bound when they were imported
        bench.patch.setitem(waits.__kwdefaults__ or {}, "sleep", lambda _seconds: None)
    service = running(person, now=lambda: datetime.now(UTC), faults=table, pause=0.001) if row.fault is not None else nullcontext()
    with service as stand_in:
        if stand_in:
            bench.environ(**stand_in.environment, TFX_EMAIL=person.email, TFX_PASSWORD=person.password)
        arguments = row.plant(bench)
        for debug in ("0", "1"):
            bench.environ(TFX_DEBUG=debug)
            code, out, err = bench.run(arguments)
            secrets = [one.value for one in stand_in.secrets() if len(one.value) > 4] if stand_in else []  # words
            heard = bench.heard([*CANARIES, *secrets], out, err)
            if heard or "Traceback" in err:
                yield f"{row.why}: {heard}"
            if debug == "0" and code != row.code:
                yield f"{row.why}: {code}, not {row.code}: {err[-300:]}"


CALLS: Mapping[str, tuple[Call, ...]] = MappingProxyType(
    {
        "tfx": TFX,
        "tandem": TANDEM,
        "recorder": RECORDER,
        "sanitizer": SANITIZER,
        "replayer": REPLAYER,
        "pipeline": PIPELINE,
        "simulator": SIMULATOR,
    }
)


def called(stage: str, bench: Bench) -> Iterator[str]:
    """What went wrong where a function was called with canaries: one was told, or there was no error at all."""
    bench.environ(TFX_EMAIL=EMAIL, TFX_PASSWORD=PASSWORD)
    for number, call in enumerate(CALLS[stage]):
        SITES.row = f"{stage} call {number}"
        with bench.patch.context() as patch:
            place = bench.folder / "work" / str(number)
            place.mkdir()
            patch.chdir(place)
            with GUARD.expecting():
                told = bench.call(lambda call=call: call(bench))  # type: ignore[misc]
        if not told[0]:
            yield f"{stage} call {number}: no error, {told[1]}"
        yield from (f"{stage} call {number}: {one}" for one in bench.heard(CANARIES, *told))


def test_the_canary_is_nowhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    wrong: list[str] = []
    for row in ROWS:
        with pytest.MonkeyPatch.context() as patch:
            wrong += walked(row, Bench(tmp_path_factory.mktemp("walk"), patch, SITES))
    for stage in CALLS:
        with pytest.MonkeyPatch.context() as patch:
            wrong += called(stage, Bench(tmp_path_factory.mktemp("walk"), patch, SITES))
    if os.environ.get("TFX_SITES"):
        Path(os.environ["TFX_SITES"]).write_text(SITES.table(), encoding="utf-8")
    assert not wrong, "\n".join(wrong)
    # What says the same to everybody, and carries no other error, tells nothing whatever was in hand; everything else is walked.
    silent = {str(site) for site, rows in SITES.rows().items() if not rows and not site.is_fixed}
    assert not silent, f"{silent} make errors and no row walks there; TFX_SITES=FILE lists what reached which"


def test_the_walk_would_hear_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, monkeypatch, Sites())
    Path("new.txt").write_text(NAME.lower())
    Path("gone.txt").write_bytes(gzip.compress(b"x") + PASSWORD.encode())
    Path("gone.txt").unlink()
    assert bench.heard([NAME, PASSWORD, TOKEN], f"a {TOKEN}", "") == [
        f"{NAME} in work/new.txt",
        f"{PASSWORD} in temporary file 0",
        f"{TOKEN} in stdout",
    ]


FIXED = (
    ("raise UsageError(f'no era; {sorted(ERAS)}')", True),
    ('raise UsageError(f"no era is called {era}")', False),
    ('raise UsageError(f"it is {old.era}")', False),
    ("raise UsageError(text)", False),
    ('try: x\nexcept ValueError: raise UsageError("no number")', False),
    ('try: x\nexcept ValueError as error: raise UsageError("no number") from error', False),
    ('try: x\nexcept ValueError: raise UsageError("no number") from None', True),
    ('def made(): return UsageError("no number")', False),
    ('raise type(error)("no number")', True),
)


def test_what_says_the_same_to_everybody_is_told_by_its_source() -> None:
    for text, expected in FIXED:
        assert [site.is_fixed for site in sites_of("x.py", text, frozenset({"UsageError"}))] == [expected], text
