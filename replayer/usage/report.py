"""The report printed by `tfx replay`: used and unused exchanges, misses, blocked attempts, exit code. Pure."""

import json
from collections.abc import Iterator
from pathlib import Path

from replayer.matching.keys import question_of
from replayer.matching.words import label
from replayer.programs.program import Outcome
from replayer.usage.tally import idle_words
from replayer.usage.usage import VERSION, fingerprint
from tfx.cassette import Cassette
from tfx.errors import FoundError


def lines(cassette: Cassette, outcome: Outcome, *, all_used: bool) -> Iterator[str]:
    """One line per thing worth saying."""
    if not outcome.guarded:
        yield "the program ended before tfx's guard was on; nothing it did was checked"
    if outcome.sealed is False:
        yield "the program ran in the machine's own network; what it did past the proxy was not seen"
    yield from dict.fromkeys(outcome.misses)
    for attempt in dict.fromkeys(outcome.blocked):
        yield f"blocked: the program tried to {attempt}"
    yield from dict.fromkeys(outcome.refused)
    if outcome.idle:
        yield idle_words(outcome.idle)
    missing = unused(cassette, outcome)
    if all_used:
        yield from (f"unused: #{number} {name}" for number, name in missing.items())
    yield (
        f"{cassette.name}: {len(outcome.used)} of {len(cassette.exchanges)} exchanges used, "
        f"{_many(len(outcome.misses), 'request')} missed, {_many(len(outcome.blocked), 'attempt')} to reach the network blocked"
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s'[: count != 1]}"


def unused(cassette: Cassette, outcome: Outcome) -> dict[int, str]:
    """The exchanges nobody asked for: number to what it is called."""
    return {number: name for number, name in labels_of(cassette).items() if number not in outcome.used}


def labels_of(cassette: Cassette) -> dict[int, str]:
    """What every exchange is called, by number."""
    return {number: label(question_of(exchange.request)) for number, exchange in enumerate(cassette.exchanges, start=1)}


def exit_code(cassette: Cassette, outcome: Outcome, *, all_used: bool) -> int:
    """1 for a miss, a blocked attempt, an idle fault, a program that escaped the guard, unused exchanges if they count; else its own."""
    found = (
        outcome.misses
        or outcome.blocked
        or outcome.idle
        or not outcome.guarded
        or (all_used and len(outcome.used) < len(cassette.exchanges))
    )
    return FoundError.exit_code if found else outcome.code


def machine_readable(cassette: Cassette, outcome: Outcome, path: Path) -> str:
    """The same as one JSON object, which `tfx prune` reads as well."""
    whole = exit_code(cassette, outcome, all_used=False) == 0
    return json.dumps(
        {
            "tfx_usage": VERSION,
            "whole": whole,
            "cassettes": {str(path): {"sha256": fingerprint(path), "whole": whole, "used": sorted(outcome.used)}},
            "cassette": cassette.name,
            "program_exit_code": outcome.code,
            "exchanges": len(cassette.exchanges),
            "used": sorted(outcome.used),
            "unused": [{"exchange": number, "request": name} for number, name in unused(cassette, outcome).items()],
            "misses": outcome.misses,
            "blocked": outcome.blocked,
            "refused": outcome.refused,
            "idle_faults": outcome.idle,
            "sealed": outcome.sealed,
        },
        indent=2,
    )
