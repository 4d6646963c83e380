"""What a test run used of its cassettes, added up over tests and over xdist workers. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Parcel = dict[str, list[str] | bool | dict[str, list[int]] | dict[str, dict[str, str]]]
"""A usage as xdist carries it from a worker to the controller: plain dicts, lists and text only."""


@dataclass(slots=True, kw_only=True)
class Usage:
    """`used` and `labels` by cassette name, exchanges by number (as text in `labels`: what an exchange is called)."""

    used: dict[str, set[int]] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    attempts: list[str] = field(default_factory=list)
    partial: bool = False

    def note(self, name: str, used: Iterable[int], labels: Mapping[int, str]) -> None:
        """Add what one test used of a cassette."""
        self.used.setdefault(name, set()).update(used)
        self.labels[name] = {str(number): label for number, label in labels.items()}

    def add(self, parcel: Parcel) -> None:
        """Add what a worker sent."""
        match parcel:
            case {
                "used": dict(used),
                "labels": dict(labels),
                "skipped": list(skipped),
                "attempts": list(attempts),
                "partial": bool(partial),
            }:
                for name, numbers in used.items():
                    self.used.setdefault(name, set()).update(int(number) for number in numbers)
                self.labels.update({name: dict(found) for name, found in labels.items() if isinstance(found, dict)})
                self.skipped.update(skipped)
                self.attempts += attempts
                self.partial = self.partial or partial

    def parcel(self) -> Parcel:
        """What a worker sends."""
        return {
            "used": {name: sorted(numbers) for name, numbers in self.used.items()},
            "labels": self.labels,
            "skipped": sorted(self.skipped),
            "attempts": self.attempts,
            "partial": self.partial,
        }

    def unused(self) -> list[str]:
        """One line per exchange no test asked for; a cassette of which a test was skipped is left out, for nobody can know."""
        return [
            f"{name} #{number} {label}"
            for name, labels in sorted(self.labels.items())
            if name not in self.skipped
            for number, label in labels.items()
            if int(number) not in self.used[name]
        ]
