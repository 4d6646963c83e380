"""What a partition says of itself, in a file beside its tables: what it was made from, and each file's rows and digest.

By it a finished partition is recognised, and seen to be as it was written. Every byte of a file counts: reading them all takes less time
than the cassette's own digest, which every run computes.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

MANIFEST: Final = "_partition.json"
"""Beside the Parquet files: what they were made from, by which schema, in which zone, how many rows each has, and their SHA-256."""

_MEMBERS: Final = frozenset({"cassette", "schema", "zone", "events", "rows", "unread", "digests", "digest"})


def write(folder: Path, told: Mapping[str, object]) -> None:
    """Say this of the folder's files as they are now: `told` has every member but the digests."""
    whole = {**told, "digests": {path.name: _digest_of(path) for path in sorted(folder.iterdir())}}
    (folder / MANIFEST).write_bytes(orjson.dumps({**whole, "digest": _seal(whole)}, option=orjson.OPT_INDENT_2))


def read(folder: Path) -> Mapping[str, object] | None:
    """What a folder says of itself; None where it says nothing, or what it says was altered or is not this tfx's."""
    try:
        found: object = orjson.loads((folder / MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    if not isinstance(found, dict) or set(found) != _MEMBERS:
        return None
    return found if found.pop("digest") == _seal(found) else None


def is_made_from(told: Mapping[str, object] | None, made_from: Mapping[str, str]) -> bool:
    """Whether that was made from these bytes, by this schema, in this zone."""
    return told is not None and {name: told[name] for name in made_from} == made_from


def damage(folder: Path) -> str:
    """What is not as it was written in a folder that is a partition; empty where everything is, or the folder is no partition."""
    told = read(folder)
    if told is None:
        return f"{MANIFEST} was altered, or another version of tfx wrote it" if (folder / MANIFEST).exists() else ""
    digests = told["digests"]
    assert isinstance(digests, dict)  # sealed by `write`
    found = (_damage_of(folder / name, digest) for name, digest in digests.items())
    return "; ".join(one for one in found if one)


def _damage_of(path: Path, digest: str) -> str:
    try:
        return "" if _digest_of(path) == digest else f"{path.name} is not as it was written"
    except FileNotFoundError:
        return f"{path.name} is missing"
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror})"


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seal(told: Mapping[str, object]) -> str:
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()
