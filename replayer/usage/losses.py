"""What a cassette loses with exchanges that no test requested, in words. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from replayer.contents.summary import events_in
from replayer.usage.report import labels_of
from tfx.cassette import Cassette
from tfx.plural import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The exchanges that would go: what each is called, and what the cassette no longer has without them."""

    labels: dict[int, str]
    """Number to what it is called, with the number of its pump events where it has any."""
    events: int
    """How many pump events they list, each window for itself."""
    are_all_events: bool
    """Whether they are all that list any."""
    unanswered: tuple[str, ...]
    """The kinds of request that nothing on the cassette answers after that."""

    @property
    def events_words(self) -> str:
        """The pump events among them; empty if there are none."""
        return f"{'all ' if self.are_all_events else ''}{plural(self.events, 'pump event')}" if self.events else ""


def losses(cassette: Cassette, kept: Collection[int]) -> Losses:
    """What goes if only these exchanges are kept.

    Raises:
        CassetteError: an answer about pump events holds something else.
    """
    labels = labels_of(cassette)
    counted = {number: events_in(number, exchange) or 0 for number, exchange in enumerate(cassette.exchanges, start=1)}
    gone = {number: label for number, label in labels.items() if number not in kept}
    events = sum(counted[number] for number in gone)
    left = {labels[number] for number in labels if number in kept}
    return Losses(
        labels={
            number: f"{label}, {plural(counted[number], 'pump event')}" if counted[number] else label for number, label in gone.items()
        },
        events=events,
        are_all_events=events == sum(counted.values()),
        unanswered=tuple(dict.fromkeys(label for label in gone.values() if label not in left)),
    )
