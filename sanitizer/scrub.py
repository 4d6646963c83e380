"""Capture -> Cassette: apply the rules to every exchange, then search the finished text independently. Pure; fails closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sanitizer.audit.findings import Finding
from sanitizer.places.visitors import Proofreader, Rewriter
from sanitizer.places.walk import walked
from sanitizer.policy.policy import Policy, policy
from sanitizer.run import MOST_REMOVED, NOT_UNDERSTOOD, REMOVED, Columns, Run
from sanitizer.search.record_words import in_records
from sanitizer.search.scan import PERSONAL, is_said_by_format, search
from sanitizer.values.amounts import KINDS as AMOUNTS
from tandem.eras import ERAS
from tandem.regions import REGIONS
from tfx.capture import Capture, Seen
from tfx.cassette import KEEP, Cassette
from tfx.collecting import uncollected
from tfx.errors import LeakError, RefusedError, UsageError
from tfx.exchange import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """A clean cassette, and every place that was blanked or removed because no rule knew it.

    `touched`: (rule, place) -> how often, items of arrays taken as one place. `left_out`: exchanges that could not be understood.
    """

    cassette: Cassette
    findings: tuple[Finding, ...]
    touched: Mapping[tuple[str, str], int]
    left_out: int = 0


@uncollected()
def scrub(
    capture: Capture,
    *,
    name: str,
    is_our_name: bool = False,
    rules: Policy | None = None,
    before: Mapping[str, int] | None = None,
    values: str = KEEP,
    folder: str = "",
    leaves_out: bool = False,
) -> Scrubbed:
    """The cassette of a capture.

    `is_our_name`: tfx chose the name and counted it up, so it can tell of nobody, whatever the number is a part of.
    `before` is the rule counts of a cassette that is sanitized again: what was removed then is not there to be counted now.
    `values` is KEEP, or SYNTHETIC to have every amount of glucose, insulin and carbohydrate made anew from the record structure.
    `folder` is where the cassette will stand, as far as that is public. `leaves_out`: an exchange that cannot be understood is left out
    and named in the findings; otherwise everything is refused with it.

    Raises:
        RefusedError: something cannot be understood; nothing of it may be written.
        LeakError: a seen value is in the finished text all the same; the message says what kind and where, never the value.
    """
    if capture.era not in ERAS or capture.region not in REGIONS:
        raise RefusedError(f"this capture is of no known era or region ({', '.join(ERAS)}; {', '.join(REGIONS)}); nothing was written")
    seen = [one.value for one in capture.seen]
    run = Run(policy=rules or policy(), clock=capture.clock, seen=seen, numbers=capture.numbers, leaves_out=leaves_out)
    visitor = Rewriter(run)
    exchanges, counts = _walked(visitor, capture, values)
    if run.left_out and not exchanges:
        raise RefusedError("not one exchange can be understood, so nothing is left to make a cassette of; nothing was written")
    cassette = Cassette(
        name=name,
        era=capture.era,
        region=capture.region,
        clock=run.epoch.clock(capture.clock),
        policy=run.policy.version,
        exchanges=exchanges,
        values=values,
        rules=_counted(before or {}, run, counts),
    )
    try:
        _prove_name("" if is_our_name else name, folder, run, capture.seen)
        _prove(cassette, run, capture.seen)
    except NOT_UNDERSTOOD:  # its text may quote a value
        raise RefusedError(
            "a value that was seen or replaced cannot be searched in the finished cassette, so nothing was written; "
            "please report it, with the kinds of letters that are in your name and password"
        ) from None
    return Scrubbed(cassette=cassette, findings=tuple(run.findings), touched=dict(run.places), left_out=run.left_out)


_NAME = "cassette name"


def _counted(before: Mapping[str, int], run: Run, counts: Mapping[str, int]) -> dict[str, int]:
    """How many places of the cassette each rule is for, and how many it had that were removed: now, or when it was made."""
    amounts = {word: run.counts[word] for word in AMOUNTS}
    removed = {word: min(max(before.get(word, 0), run.counts[word]), MOST_REMOVED) for word in REMOVED}
    return {word: number for word, number in {**counts, **amounts, **removed}.items() if number}


def _prove_name(name: str, folder: str, run: Run, seen: tuple[Seen, ...]) -> None:
    """A cassette's name is a public file name, and so is its folder's; they may hold no part of what was seen."""
    from sanitizer.files.cassette_names import named_in

    replaced = (Seen(kind=kind, value=value) for kind, value in run.ordinals.originals if kind in PERSONAL)
    values = (*seen, *replaced)
    for what, text in (("cassette", name), ("folder", folder)):
        kind = named_in(text, values) if text else ""
        if kind:
            raise LeakError(
                f"the {what}'s name holds a part of a seen value ({kind}), so nothing was written; choose a name that is not personal"
            )


def _walked(visitor: Rewriter, capture: Capture, values: str) -> tuple[tuple[Exchange, ...], Mapping[str, int]]:
    """The exchanges as they may stand, and how often each rule is used in them."""
    try:
        exchanges, counts = _lasting(visitor.run, walked(visitor, capture.exchanges))
        if values == KEEP:
            return exchanges, counts
        from sanitizer.values.regenerate import regenerated

        return regenerated(visitor, exchanges), counts
    except NOT_UNDERSTOOD:
        # `from None`, and no text of it: it may quote a value.
        raise RefusedError(
            f"#{visitor.run.exchange} has a place that cannot be understood, so it cannot be made clean; nothing was written. "
            "Record without that exchange, or report what it asks for"
        ) from None


def _lasting(run: Run, exchanges: tuple[Exchange, ...]) -> tuple[tuple[Exchange, ...], Mapping[str, int]]:
    """The exchanges as they stay when they are sanitized again, and how often each rule is used in them.

    What was counted and numbered on the way may be gone: a stand-in of something that was then thrown away leaves a gap. So the finished
    exchanges are looked at as the check looks at them, but for bodies of events of which nothing went; and where it would not pass them,
    they are sanitized once more. What is replaced is clean already.
    """
    first = None if run.has_gaps else _proofread(run, exchanges, {} if None in run.columns.values() else run.columns)
    if first is not None and not first.findings:
        return exchanges, first.counts
    again = walked(Rewriter(_clean(run)), exchanges)
    return again, _proofread(run, again, {}).counts


def _proofread(run: Run, exchanges: tuple[Exchange, ...], columns: Mapping[int, Columns | None]) -> Run:
    proof = _clean(run, numbers=run.kept)
    walked(Proofreader(proof, columns), exchanges)
    return proof


def _clean(run: Run, numbers: Sequence[int] = ()) -> Run:
    """A run for what is clean already."""
    return Run(policy=run.policy, clock=run.epoch.clock(run.clock), numbers=numbers)


UNKEPT = "value that was removed elsewhere"
"""The kind of a value that no rule gave a stand-in."""


def _prove(cassette: Cassette, run: Run, seen: tuple[Seen, ...]) -> None:
    replaced = tuple(Seen(kind=kind, value=value) for kind, value in run.ordinals.originals)
    unkept = tuple(Seen(kind=UNKEPT, value=value) for value in run.unkept.texts if not is_said_by_format(value))
    leaks = (
        *search(cassette, seen=(*seen, *unkept), replaced=replaced, numbers=run.kept),
        *in_records(cassette, (*seen, *unkept, *(one for one in replaced if one.kind in PERSONAL)), numbers=run.kept),
    )
    if leaks:
        shown = "; ".join(map(str, leaks[:5])) + (f" and {len(leaks) - 5} more" if len(leaks) > 5 else "")  # noqa: PLR2004  # enough to act on
        raise LeakError(
            f"the second look at the finished cassette found values that must not be there, so nothing was written: {shown}. "
            + _advice(leaks)
        )


def _advice(leaks: tuple[Finding, ...]) -> str:
    if all(leak.place == _NAME for leak in leaks):
        return "Choose another name"
    if all(leak.kind.startswith(UNKEPT) for leak in leaks):
        return "Give the place it was removed from a rule of your own (--suggest), leave its exchange out, or report both places"
    return "Please report the places; they are a gap in the rules"


def again(cassette: Cassette, values: str | None = None, rules: Policy | None = None) -> Scrubbed:
    """A cassette sanitized anew: nothing changes unless the policy did, or an edit by hand, or other `values` are asked for.

    Raises:
        UsageError: the recorded values are asked for, and the cassette no longer has them.
    """
    if values == KEEP and cassette.values != KEEP:
        raise UsageError(f"the values of {cassette.name} are synthetic and the recorded ones are gone; record it again to have them")
    capture = Capture(exchanges=cassette.exchanges, era=cassette.era, region=cassette.region, clock=cassette.clock)
    return scrub(capture, name=cassette.name, rules=rules, before=cassette.rules, values=values or cassette.values)
