"""Many accounts: one cassette in, one partition of Parquet files out, for each. The only module that writes partitions.

A partition is finished when its folder has its name: files are written beside it and the folder is renamed. A killed process leaves nothing
half written, and of two that make the same partition the second finds it there and discards its own. A finished partition that was made
from the same bytes by the same schema is not made again, unless a file of it is not as it was written (pipeline/running/manifest.py).
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from pipeline.running import manifest
from pipeline.running.manifest import MANIFEST
from tfx.errors import CassetteError, TfxError, UsageError

Status = Literal["written", "there already", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """What became of one account, and why.

    `account` is its cassette's name; `events` counts its pump events, each once; `reason` says why it was refused, or what is missing;
    `damage` what was not as it had been written in the finished one that this one replaced.
    """

    account: str
    status: Status
    events: int = 0
    reason: str = ""
    damage: str = ""


Runner = Callable[[Sequence[str], str, str], Iterator[Partition]]
"""Makes the partitions of these cassettes in a folder, in a time zone: in any order, on whatever it has."""


def cassettes_in(folder: Path) -> tuple[str, ...]:
    """The cassettes in a folder, by name. Raises UsageError where there is none, or two of one name."""
    found = sorted(str(path) for path in folder.glob("*.json"))
    if not found:
        raise UsageError(f"there is no cassette in {folder}; name the folder that has them with --cassettes")
    return tuple(found)


def one_by_one(paths: Sequence[str], output: str, zone: str) -> Iterator[Partition]:
    """The plain runner: this process, one after the other."""
    return (make(path, output, zone) for path in paths)


def make(path: str, output: str, zone: str) -> Partition:
    """Run the pipeline over one cassette in a memory of its own, and write every table to `output/account=NAME`.

    A cassette that cannot be read is a refused partition, not an error: the others go on.
    """
    account = Path(path).stem
    folder = Path(output) / f"account={account}"
    try:
        made_from = _made_from(Path(path), zone)
        known, damage = manifest.read(folder), manifest.damage(folder)
        if known is not None and manifest.is_made_from(known, made_from) and not damage:
            return Partition(account=account, status="there already", events=cast("int", known["events"]), reason=str(known["unread"]))
        return replace(_written(path, folder, zone, made_from), damage=damage)
    except TfxError as error:
        return Partition(account=account, status="refused", reason=str(error))


def run(folder: Path, output: Path, zone: str, runner: Runner = one_by_one) -> tuple[Partition, ...]:
    """Make the partition of every cassette in the folder; what became of each, by name. Progress shows on a terminal.

    Raises UsageError where there is no cassette, no such zone, or no room for the output.
    """
    from pipeline.store.devices import zone_named
    from tfx.progress import track

    zone_named(zone)
    paths = cassettes_in(folder)
    done = []
    with track("accounts", len(paths)) as advance:
        for partition in runner([os.path.abspath(path) for path in paths], os.path.abspath(output), zone):  # noqa: PTH100  # resolve() follows links
            done.append(partition)
            advance(1)
    remove_leftovers(output, done)
    return tuple(sorted(done, key=lambda partition: partition.account))


def remove_leftovers(output: Path, done: Iterable[Partition]) -> None:
    """What workers that died left of partitions that others have finished since."""
    for partition in done:
        for rest in output.glob(f".account={partition.account}.*"):
            shutil.rmtree(rest, ignore_errors=True)


def _made_from(path: Path, zone: str) -> dict[str, str]:
    from pipeline.store.schema import head

    try:
        content = path.read_bytes()
    except OSError as e:
        raise CassetteError(f"the cassette {path} cannot be read: {e.strerror}; check it and run the command again") from e
    return {"cassette": hashlib.sha256(content).hexdigest(), "schema": head(), "zone": zone}


def _written(path: str, folder: Path, zone: str, made_from: Mapping[str, str]) -> Partition:
    from pipeline.export.files import Choice, export
    from pipeline.running.runs import Order, perform
    from pipeline.store.warehouse import in_memory

    with _beside(folder) as partial:
        engine = in_memory()
        try:
            # Not guarded: a worker of Dask talks to its scheduler meanwhile. The cassette's session has no way out of its own.
            unread = perform(engine, Order(mode="full", cassette=path, zone=zone, guarded=False, keep_changed=True)).unread
            with engine.connect() as connection:
                rows = export(connection, partial / "files", "parquet", Choice())
        finally:
            engine.dispose()
        events = rows["raw_events.parquet"]
        missing = f"the answer for {', '.join(map(str, unread))} could not be read to its end; quarantine.parquet has it" if unread else ""
        manifest.write(partial / "files", {**made_from, "events": events, "rows": dict(rows), "unread": missing})
        _put_in_place(partial, folder, made_from)
    return Partition(account=Path(path).stem, status="written", events=events, reason=missing)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A private folder on the same disk, gone at the end."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as e:
        raise UsageError(f"no folder can be made in {folder.parent} ({e.strerror}); name another one with --output") from e
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, folder: Path, made_from: Mapping[str, str]) -> None:
    is_a_partition = (folder / MANIFEST).exists()
    if is_a_partition and (not manifest.is_made_from(manifest.read(folder), made_from) or manifest.damage(folder)):
        os.rename(folder, partial / "old")  # noqa: PTH104  # of an older cassette, zone or schema, or damaged
    # If another process was faster, its folder is complete and equal to ours: renaming onto it fails, and may.
    with suppress(FileExistsError):
        try:
            os.rename(partial / "files", folder)  # noqa: PTH104  # beside the one above
        except OSError as e:
            if not (folder / MANIFEST).exists():
                raise UsageError(f"{folder} exists and is not a partition ({e.strerror}); name another folder with --output") from e
