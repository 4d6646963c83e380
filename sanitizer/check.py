"""`--check`: every value on a cassette is a literal, an enumeration, a bounded number or a stand-in. Needs no secrets. Pure.

The walk is the one that made the cassette, with the checking visitor; so the check covers every place that the rules know.
"""

from datetime import UTC, datetime, time
from pathlib import Path

from sanitizer.audit.findings import Finding
from sanitizer.files.era import shows_another
from sanitizer.files.input_files import is_telling
from sanitizer.places.visitors import Checker
from sanitizer.places.walk import walked
from sanitizer.policy.policy import Policy, policy
from sanitizer.replacements.actions import ACTIONS
from sanitizer.replacements.epoch import ANCHOR
from sanitizer.run import MOST_REMOVED, NOT_UNDERSTOOD, REMOVED, Run
from sanitizer.values.amounts import KINDS as AMOUNT_KINDS
from tandem.eras import ERAS
from tandem.regions import REGIONS
from tfx.cassette import SYNTHETIC, VALUES, Cassette
from tfx.codec import decoded, encoded
from tfx.collecting import uncollected
from tfx.errors import RefusedError, TfxError, UsageError
from tfx.exchange import Headers, Request, Response
from tfx.store import as_dumped, is_dumped, loads, path_of
from tfx.stored import plain

COUNTED = frozenset({*REMOVED, "sequence", "zero", "counter", "bolus", "jwks", "page", *AMOUNT_KINDS})
"""Words that count places beside those of the actions."""
_MOST_PLACES = 9_999_999
"""More than a cassette of any size that fits a repository; a serial number has eight digits."""
_WEEK = 7


@uncollected()  # until the cassette is gone: the collector would go through all of it
def check(data: bytes, where: str = "the cassette", *, rules: Policy | None = None) -> tuple[Finding, ...]:
    """Every place of a cassette file that could not have come out of the sanitizer.

    Raises:
        CassetteError: the file is not a whole, untouched cassette of a known version.
    """
    return opened(data, where, rules=rules)[1]


@uncollected()
def opened(data: bytes, where: str, *, rules: Policy | None = None) -> tuple[Cassette, tuple[Finding, ...]]:
    """The cassette in a file beside what `check` finds; raises as it does."""
    as_written = as_dumped(data)
    if as_written is not None:
        return as_written, looked_at(as_written, rules=rules)
    cassette = loads(data, where)
    return cassette, (*looked_at(cassette, rules=rules), *_spelling(cassette, data))


def _spelling(cassette: Cassette, data: bytes) -> tuple[Finding, ...]:
    """A finding for a file that says more than its cassette: members nobody reads, a key twice, a number in another spelling."""
    try:
        is_as_written = is_dumped(cassette, data)
    except (TfxError, *NOT_UNDERSTOOD):
        is_as_written = False
    if is_as_written:
        return ()
    return (Finding(exchange=0, place="file", kind="not what tfx writes: a member, number or spelling that does not belong"),)


def looked_at(cassette: Cassette, *, rules: Policy | None = None) -> tuple[Finding, ...]:
    """Every place of a cassette that could not have come out of the sanitizer."""
    run = Run(policy=rules or policy(), clock=datetime.combine(ANCHOR, time.min, UTC))
    visitor = Checker(run)
    _head(visitor, cassette)
    try:
        walked(visitor, cassette.exchanges)
        _codings(visitor, cassette)
        if cassette.values == SYNTHETIC:
            from sanitizer.values.regenerate import regenerated  # needs numpy, which the other checks do without

            regenerated(visitor, cassette.exchanges)
        _told(visitor, cassette)
    except (RefusedError, *NOT_UNDERSTOOD):
        visitor.note("body", "cannot be understood, so nothing says that it is clean")
    return tuple(run.findings)


def _told(visitor: Checker, cassette: Cassette) -> None:
    """What the head says of the exchanges is what sanitizing them again would say."""
    counts = visitor.run.counts
    is_told = any(found.place == "rules" for found in visitor.run.findings)
    if not is_told and any(cassette.rules.get(word, 0) != counts[word] for word in {*cassette.rules, *counts} - REMOVED):
        visitor.note("rules", "not as many places as there are; have them counted with: tfx sanitize")
    if cassette.era in ERAS and shows_another(cassette.era, cassette.exchanges):
        visitor.note("era", "not the one that the requests show")


def _codings(visitor: Checker, cassette: Cassette) -> None:
    """A compressed body as another program packs it has a header with a file name and a time, and room behind every block."""
    for number, exchange in enumerate(cassette.exchanges, 1):
        visitor.run.exchange = number
        carriers: list[tuple[str, Request | Response]] = [("request body", exchange.request)]
        if not plain(exchange):  # that one is compressed when it is asked for
            carriers.append(("response body", exchange.response))
        for place, headers, body in ((place, one.headers, one.body) for place, one in carriers):
            if body and not _is_packed_by_tfx(headers, body):
                visitor.note(place, "compressed in another way than the sanitizer does")
    visitor.run.exchange = 0


def _is_packed_by_tfx(headers: Headers, body: bytes) -> bool:
    return not headers.get("content-encoding") or encoded(headers, decoded(headers, body)) == body


def _is_file_name(name: str) -> bool:
    try:
        path_of(name, Path())
    except UsageError:
        return False
    return True


def _is_count(word: str, number: object) -> bool:
    return type(number) is int and 0 <= number <= (MOST_REMOVED if word in REMOVED else _MOST_PLACES)


def _head(visitor: Checker, cassette: Cassette) -> None:
    run = visitor.run
    clock = cassette.clock.astimezone(UTC)
    facts = {
        "name": (not is_telling(cassette.name), "a long number or a date, which may be somebody's"),
        "era": (cassette.era in ERAS, "not a known era"),
        "region": (cassette.region in REGIONS, "not a known region"),
        "clock": (0 <= (clock.date() - ANCHOR).days < _WEEK and not clock.second, "not a whole minute of the anchor week"),
        "policy.version": (cassette.policy == run.policy.version, "made by another version of the policy; sanitize it again"),
        "policy.values": (cassette.values in VALUES, f"not one of {', '.join(VALUES)}"),
        "rules": (all(word in ACTIONS or word in COUNTED for word in cassette.rules), "a rule that does not exist"),
    }
    if not _is_file_name(cassette.name):
        visitor.note("name", "not a plain file name")
    if not all(_is_count(word, number) for word, number in cassette.rules.items()):
        visitor.note("rules", "a number that counts nothing")
    for place, (holds, kind) in facts.items():
        if not holds:
            visitor.note(place, kind)
