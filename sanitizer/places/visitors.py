"""The visitors of the walk: `Rewriter` changes what it meets, `Checker` only reports, so both cover the same places."""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from sanitizer.audit.findings import Finding, printable
from sanitizer.policy.policy import Policy, Rule
from sanitizer.replacements.actions import ACTIONS
from sanitizer.replacements.epoch import Odd
from sanitizer.replacements.leaves import blank, ordinals_of
from sanitizer.run import Columns, Run
from tfx.jsonbody import Json

KEPT = "keep:"
"""What stands before a domain where places are counted that kept their values."""

_SHORTENING = frozenset({"blank", "challenge-header", "codes", "country", "listed", "words"})
"""Rules that leave something of a value out."""

_INDEX = re.compile(r"\[\d+\]")


def _any_item(place: str) -> str:
    """A place, items of arrays taken as one."""
    return _INDEX.sub("[]", place) if "[" in place else place


class Visitor(Protocol):
    """What meets every leaf. `changes` is False for `Checker`."""

    run: Run
    changes: bool

    def leaf(self, rule: Rule, value: Json, place: str) -> Json:
        """The leaf as it may stand on a cassette."""

    def unknown(self, value: Json, place: str, kind: str, *, rule: str = "") -> Json:
        """A place the policy does not know: the blank for it."""

    def note(self, place: str, kind: str, *, rule: str = "") -> None:
        """Report a place."""

    def remark(self, place: str, kind: str) -> None:
        """Report a place of which nothing that is counted goes."""

    def count(self, word: str, place: str, number: int = 1) -> None:
        """Say how many places a rule touched, and where."""

    def knows_events(self) -> bool:
        """Whether what the exchange in hand has of pump events is known already, so that they need not be read."""

    def events(self, change: Callable[[], Json]) -> Json:
        """A body of pump events, as `change` makes it."""

    def count_kept(self, domain: str, place: str, number: int = 1) -> None:
        """Say how many places were left as they are, and by which domain."""

    def name(self, name: str) -> str:
        """A name of a header, key or member as it may be shown."""

    def pasted(self, name: str) -> str:
        """A name as a rule to paste has it."""


class _Reporting:
    __slots__ = ("run",)

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def policy(self) -> Policy:
        """The rules."""
        return self.run.policy

    def note(self, place: str, kind: str, *, rule: str = "") -> None:
        """Report a place."""
        self.run.taken += 1
        self.run.findings.append(Finding(exchange=self.run.exchange, place=place, kind=kind, rule=rule))

    def remark(self, place: str, kind: str) -> None:
        """Report a place of which nothing that is counted goes."""
        self.run.findings.append(Finding(exchange=self.run.exchange, place=place, kind=kind))

    def knows_events(self) -> bool:
        """No: they are read."""
        return False

    def events(self, change: Callable[[], Json]) -> Json:
        """The body as `change` makes it."""
        return change()

    def name(self, name: str) -> str:
        """A name of a header, key or member as it may be shown."""
        return self.run.shown(name)

    def pasted(self, name: str) -> str:
        """A name as a rule to paste has it, if it looks like a schema's word; it may be personal all the same."""
        return printable(name, self.run.seen)

    def count(self, word: str, place: str, number: int = 1) -> None:
        """Say how many places a rule touched, and where."""
        self.run.counts[word] += number
        self.run.places[word, _any_item(place)] += number

    def count_kept(self, domain: str, place: str, number: int = 1) -> None:
        """Say how many places were left as they are, and by which domain; not counted on the cassette, for no rule changed them."""
        self.run.places[f"{KEPT}{domain}", _any_item(place)] += number


class Rewriter(_Reporting):
    """Changes what it meets: the visitor of sanitizing."""

    __slots__ = ()
    changes = True

    def leaf(self, rule: Rule, value: Json, place: str) -> Json:
        """The stand-in, the moved date, the kept number; a typed blank and a finding where the value is not what the rule is for."""
        if value is None:
            return None
        if rule.word == "keep":
            self.count_kept(rule.argument, place)
        else:
            self.count(rule.word, place)
        try:
            changed = ACTIONS[rule.word].change(value, rule.argument, self.run)
        except Odd:
            pass
        else:
            if rule.word in _SHORTENING and changed != value:
                self.run.unkept.value(value)
            return changed
        if value != blank(value):  # a blank is at home everywhere
            self.run.unkept.value(value)
            self.note(place, f"{ACTIONS[rule.word].says}; blanked")
        return blank(value)

    def unknown(self, value: Json, place: str, kind: str, *, rule: str = "") -> Json:
        """A typed blank and a finding."""
        self.run.unkept.value(value)
        self.note(place, f"{kind}; blanked", rule=rule)
        return blank(value)

    def events(self, change: Callable[[], Json]) -> Json:
        """The body as `change` makes it; what is counted in it is remembered, if nothing of it is gone."""
        run = self.run
        before, taken, run.devices = run.counts.copy(), run.taken, []
        changed = change()
        is_whole = run.taken == taken
        run.columns[run.exchange] = Columns(counts=run.counts - before, devices=tuple(run.devices)) if is_whole else None
        return changed


class Checker(_Reporting):
    """Changes nothing: every finding is a place that could not have come out of `Rewriter`. The visitor of `--check`."""

    __slots__ = ()
    changes = False

    def leaf(self, rule: Rule, value: Json, place: str) -> Json:
        """The leaf as it is."""
        if value is None:
            return value
        if rule.word != "keep":
            self.count(rule.word, place)
        action = ACTIONS[rule.word]
        if action.holds(value, rule.argument, self.run):
            if not self.run.ordinal_order.are_kept(action.tells(value)):
                self.note(place, "a stand-in out of order; they are numbered from 1 as they appear, without gaps")
            return value
        if isinstance(value, dict | list | float) or value != blank(value):  # of zero there is one blank, and 0.0 is not it
            self.note(place, action.says)
        return value

    def count(self, word: str, place: str, number: int = 1) -> None:
        """Say how many places a rule touched, and not where: nobody asks a check for that."""
        del place
        self.run.counts[word] += number

    def count_kept(self, domain: str, place: str, number: int = 1) -> None:
        """Nothing: what was kept is not counted on the cassette."""

    def unknown(self, value: Json, place: str, kind: str, *, rule: str = "") -> Json:
        """The value as it is."""
        self.note(place, kind, rule=rule)
        return value


class Proofreader(Checker):
    """Looks at what `Rewriter` has just made as `Checker` does, but not into bodies of events whose `columns` are known."""

    __slots__ = ("_columns",)

    def __init__(self, run: Run, columns: Mapping[int, Columns | None]) -> None:
        super().__init__(run)
        self._columns = columns

    def knows_events(self) -> bool:
        """Whether the exchange in hand is one of them."""
        return self.run.exchange in self._columns

    def events(self, change: Callable[[], Json]) -> Json:
        """The body as it is, or nothing in place of one that is known."""
        known = self._columns.get(self.run.exchange)
        if known is None:
            return change()
        self.run.counts.update(known.counts)
        if not all(self.run.ordinal_order.are_kept(ordinals_of(device, "uuid")) for device in known.devices):
            self.note("response body", "a stand-in out of order")
        return None
