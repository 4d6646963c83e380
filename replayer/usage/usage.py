"""What a test run used of its cassettes, added up over tests, forked children and xdist workers. Reads cassettes and files of children."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from tfx.errors import UsageError

VERSION: Final = 1
Parcel = dict[str, object]
"""A usage as it travels from a worker or a child: plain dicts, lists and text only."""


@dataclass(slots=True, kw_only=True)
class Usage:
    """`used`, `labels` and `tests` by the path of the cassette; exchanges by number (in `labels` as text: what an exchange is called)."""

    used: dict[str, set[int]] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    tests: dict[str, set[str]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    attempts: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """What missed where no test failed of it: in a teardown, before a skip, where failing was expected."""
    partial: bool = False
    renamed: dict[str, str] = field(default_factory=dict)
    """Node ids that hold what a client sent in confidence, and what they are called in reports."""

    def rename(self) -> None:
        """Call those tests what they are called in reports."""
        self.tests = {path: {self.renamed.get(test, test) for test in tests} for path, tests in self.tests.items()}
        for test, other in self.renamed.items():
            self.unseen = [line.replace(f"{test}: ", f"{other}: ", 1) for line in self.unseen]

    def note(self, path: str, used: Iterable[int], labels: Mapping[int, str], test: str = "") -> None:
        """Add what one test used of a cassette."""
        self.used.setdefault(path, set()).update(used)
        self.labels[path] = {str(number): label for number, label in labels.items()}
        self.tests.setdefault(path, set()).update(filter(None, [test]))

    def add(self, parcel: Parcel) -> None:
        """Add what a worker or a child sent."""
        for path, numbers in cast("dict[str, list[int]]", parcel["used"]).items():
            self.used.setdefault(path, set()).update(numbers)
        for path, tests in cast("dict[str, list[str]]", parcel["tests"]).items():
            self.tests.setdefault(path, set()).update(tests)
        self.labels.update(cast("dict[str, dict[str, str]]", parcel["labels"]))
        self.skipped.update(cast("list[str]", parcel["skipped"]))
        self.attempts += cast("list[str]", parcel["attempts"])
        self.unseen += cast("list[str]", parcel["unseen"])
        self.partial = self.partial or bool(parcel["partial"])
        self.renamed.update(cast("dict[str, str]", parcel["renamed"]))

    def parcel(self) -> Parcel:
        """What a worker sends."""
        return {
            "used": {path: sorted(numbers) for path, numbers in self.used.items()},
            "labels": self.labels,
            "tests": {path: sorted(tests) for path, tests in self.tests.items()},
            "skipped": sorted(self.skipped),
            "attempts": self.attempts,
            "unseen": self.unseen,
            "partial": self.partial,
            "renamed": self.renamed,
        }

    def unused(self) -> dict[str, list[str]]:
        """By path one line per exchange no test asked for; a cassette of which a test was skipped is left out, for nobody can know."""
        found = {
            path: [f"{Path(path).stem} #{number} {label}" for number, label in labels.items() if int(number) not in self.used[path]]
            for path, labels in sorted(self.labels.items())
            if path not in self.skipped
        }
        return {path: lines for path, lines in found.items() if lines}

    def report(self, *, root: Path, left_out: str = "") -> dict[str, object]:
        """What `--cassette-report` writes and `tfx prune` and `tfx orphans` read. Paths from `root`.

        `left_out`: why the run says nothing of exchanges that nobody asked for, empty if it was whole.
        """
        whole = not left_out
        return {
            "tfx_usage": VERSION,
            "whole": whole,
            "left_out": left_out,
            "cassettes": {
                _from(root, path): {
                    "sha256": fingerprint(Path(path)),
                    "whole": whole and path not in self.skipped,
                    "used": sorted(self.used[path]),
                    "unused": {number: label for number, label in labels.items() if int(number) not in self.used[path]},
                    "tests": sorted(self.tests.get(path, ())),
                }
                for path, labels in sorted(self.labels.items())
            },
        }


def verdict(usage: Usage) -> list[str]:
    """Why the run fails, in lines, empty if it need not: attempts, and misses of which no test failed."""
    lines = [f"blocked: tried to {attempt}" for attempt in dict.fromkeys(usage.attempts)]
    if lines:
        lines.insert(0, "the run fails: something tried to reach the network")
    if usage.unseen:
        lines += ["the run fails: something was asked that is not on its cassette, and no test failed of it", *dict.fromkeys(usage.unseen)]
    return lines


def unused_lines(usage: Usage, root: Path, *, allowed: bool) -> list[str]:
    """What nobody asked for in a whole run, and what can be done about it; `allowed`: the run does not fail of it."""
    unused = usage.unused()
    lines: list[str] = []
    for path, listed in unused.items():
        told = f"no test asked for {len(listed)} of the {len(usage.labels[path])} exchanges on {_from(root, path)}"
        lines += [told if allowed else f"the run fails: {told}", *(f"unused: {line}" for line in listed)]
    if unused and not allowed:
        lines.append(
            "what to do: ask for them in tests, or let the run pass: pytest --tfx-allow-unused (or tfx_allow_unused = true in the ini file)"
        )
        lines.append("or delete them from the cassette; --check says what that takes from it: pytest --cassette-report usage.json")
        lines += [
            f"  and then: tfx prune {_from(root, path)} --usage usage.json --check{_events(Path(path), usage.used[path])}"
            for path in unused
        ]
    return lines


def _events(path: Path, used: Iterable[int]) -> str:
    """The pump events that would be deleted with what is unused, where the cassette can still be read."""
    from replayer.usage.losses import losses
    from tfx.errors import TfxError
    from tfx.store import opened

    try:
        words = losses(opened(path), frozenset(used)).events_words
    except TfxError:
        return ""
    return f"  (deletes {words})" if words else ""


def _from(root: Path, path: str) -> str:
    return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file, by which a report is held to the very cassette it speaks of."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_report(path: Path) -> dict[str, object]:
    """A usage report.

    Raises:
        UsageError: the file is none.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"the report {path} cannot be read; write one with: pytest --cassette-report {path}") from error
    if not isinstance(found, dict) or found.get("tfx_usage") != VERSION or not isinstance(found.get("cassettes"), dict):
        raise UsageError(f"{path} is not a usage report of this tfx; write one with: pytest --cassette-report {path}, or tfx replay --json")
    return found


def leave(folder: Path, usage: Usage) -> None:
    """Leave a parcel for the process that forked this one."""
    path = folder / f"{os.getpid()}-{os.urandom(4).hex()}"
    path.write_text(json.dumps(usage.parcel()), "utf-8")


def collect(folder: Path, usage: Usage) -> None:
    """Add the parcels that forked children left."""
    for path in sorted(folder.iterdir()):
        usage.add(json.loads(path.read_text("utf-8")))
        path.unlink()
