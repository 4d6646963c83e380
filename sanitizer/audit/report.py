"""The audit report: what the rules did to each file, what was refused, and what could still narrow down whose it is.

It names places, rules and counts, and values only of a finished cassette, where everybody can read them. No original, no length, no hash;
not even the name of a file that did not become a cassette, for that was never tested.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

from sanitizer.audit.findings import Finding, listed
from sanitizer.places.visitors import KEPT
from sanitizer.policy.policy import Policy, policy
from tfx.cassette import Cassette
from tfx.errors import UsageError
from tfx.jsonbody import Json
from tfx.output_file import check_output, write_whole

VERSION: Final = 1
TITLE: Final = "# What the sanitizer did"
_MOST_VALUES: Final = 8

HELD: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "credentials": frozenset({
            "access-token", "refresh-token", "bearer", "jwt", "jwks", "at-hash", "code", "state", "nonce", "verifier", "challenge",
            "challenge-header", "client-id", "session", "session-state", "cookie", "cookies", "set-cookie", "cookie-name", "cookie-age",
            "cookie-expiry",
        }),
        "people": frozenset({"email", "given", "family", "full-name", "birth", "country", "profile"}),
        "identifiers": frozenset({"uuid", "serial", "device", "upload", "id", "subject", "hash", "trace"}),
        "dates": frozenset({"date", "issued", "expires"}),
        "amounts made anew": frozenset({"glucose", "insulin", "carbohydrate", "setting", "body", "battery", "motor", "signal"}),
        "counters and opaque bytes": frozenset({"sequence", "bolus", "counter", "zero", "property dropped"}),
        "everything else": frozenset({
            "keep", "words", "listed", "problem", "own-status", "literal", "blank",
            "codes", "url", "length", "drop", "header dropped", "page", "wait",
        }),
    }
)  # fmt: skip
"""What a rule's places held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file: the cassette it became or is, or why none.

    `touched`: (rule, place) -> how often; `elsewhere`: the numbers of requests to others, `left_out`: exchanges that were refused and left
    out. `name` is what the file may be called where it became no cassette.
    """

    name: str = ""
    cassette: Cassette | None = None
    findings: Sequence[Finding] = ()
    touched: Mapping[tuple[str, str], int] = field(default_factory=dict)
    refused: str = ""
    imported: bool = False
    elsewhere: tuple[int, ...] = ()
    left_out: int = 0


def write(file: Path, entries: Sequence[Entry], rules: Policy | None = None, *, own: bool = False) -> None:
    """The report into a file: JSON or Markdown, as its name ends.

    Raises:
        UsageError: the file cannot be written, or its name says no form there is.
    """
    writable(file)
    told = report(entries, rules or policy(), own=own)
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n" if file.suffix.lower() == ".json" else markdown(told)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text.encode(), through_links=True)
    except OSError as error:
        raise UsageError(f"cannot write the report {file} ({error.strerror}); name another file") from None


def writable(file: Path, others: Iterable[Path] = ()) -> None:
    """UsageError where a name says no form that a report has, or the report would replace anything but an older one.

    `others` are the files that the command reads or writes.
    """
    check_form(file)
    check_output(file, "the report", ('{"tfx_report":', TITLE), others)


def check_form(file: Path) -> None:
    """UsageError where a name says no form that a report has."""
    if file.suffix.lower() not in (".json", ".md", ".markdown"):
        raise UsageError(f"the report {file} would be of no form tfx writes; name a .json file, or .md for Markdown")


def report(entries: Sequence[Entry], rules: Policy, *, own: bool = False) -> dict[str, Json]:
    """The report as data."""
    from sanitizer.audit.anonymity import crowd, left_in

    left = [left_in(entry.cassette, rules) if entry.cassette else {} for entry in entries]
    named = [_named(number, entry) for number, entry in enumerate(entries, 1)]
    return {
        "tfx_report": VERSION,
        "policy": {"service": rules.service, "version": rules.version, "own rules": own},
        "files": [_file(*row) for row in zip(named, entries, left, strict=True)],
        "crowd": crowd({name: one for name, one, entry in zip(named, left, entries, strict=True) if entry.cassette}),
    }


def _named(number: int, entry: Entry) -> str:
    return f"{entry.cassette.name}.json" if entry.cassette else entry.name or f"file {number}"


def _file(name: str, entry: Entry, left: Mapping[str, Json]) -> dict[str, Json]:
    cassette = entry.cassette
    counts: Mapping[str, int] = cassette.rules if cassette else {}
    places: dict[str, Json] = {}
    for (word, place), number in sorted(entry.touched.items()):
        inner = places.setdefault(word, {})
        assert isinstance(inner, dict)
        inner[place] = number
    kept: dict[str, int] = {}
    for (word, _), number in entry.touched.items():
        if word.startswith(KEPT):
            kept[word.removeprefix(KEPT)] = kept.get(word.removeprefix(KEPT), 0) + number
    about: dict[str, Json] = {}
    if cassette:
        about = {"era": cassette.era, "region": cassette.region, "exchanges": len(cassette.exchanges), "values": cassette.values}
        about["policy version"] = cassette.policy
    return {
        "file": name,
        **about,
        "imported": entry.imported,
        "requests left out": list(entry.elsewhere),
        "refused and left out": entry.left_out,
        "refused": entry.refused or None,
        "held": {kind: sum(counts.get(word, 0) for word in words) for kind, words in HELD.items()},
        "rules": dict(sorted(counts.items())),
        "kept": dict(sorted(kept.items())),
        "places": places,
        "without a rule": [{"exchange": one.exchange, "place": one.place, "kind": one.kind} for one in entry.findings],
        "left in": dict(left),
    }


def markdown(told: Mapping[str, Json]) -> str:
    """The report for a reviewer: Markdown, because that is read where cassettes are reviewed."""
    rules, files, among = told["policy"], told["files"], told["crowd"]
    assert isinstance(rules, dict)
    assert isinstance(files, list)
    assert isinstance(among, dict)
    more = ", with rules of your own (--policy)" if rules["own rules"] else ""
    lines = [TITLE, "", f"Policy {rules['service']}, version {rules['version']}{more}. Files: {len(files)}.", ""]
    for one in files:
        assert isinstance(one, dict)
        lines += _about(one)
    return "\n".join([*lines, *_among(among)]) + "\n"


def _about(one: dict[str, Json]) -> list[str]:
    lines = [f"## {one['file']}", ""]
    if one["refused"]:
        return [*lines, f"Nothing was written: {one['refused']}", ""]
    lines += [f"Region {one['region']}, era {one['era']}, {one['exchanges']} exchanges, values: {one['values']}.", ""]
    if one["imported"]:
        gone = cast("list[int]", one["requests left out"])
        lines += [f"Imported. Requests left out, to other hosts or without an answer: {listed(gone) if gone else 'none'}.", ""]
    if one["refused and left out"]:
        lines += [f"Exchanges left out because they cannot be understood: {one['refused and left out']}.", ""]
    lines += ["### Places that held something", "", *_table(("what", "places"), _rows(one["held"])), ""]
    lines += ["### Places each rule touched", "", *_table(("rule", "places"), _rows(one["rules"])), ""]
    lines += ["### Places kept, by the domain they lie in", "", *_table(("domain", "places"), _rows(one["kept"])), ""]
    blanked = one["without a rule"]
    assert isinstance(blanked, list)
    lines += ["### Places without a rule, blanked or removed", ""]
    rows = [(str(found["exchange"]), str(found["place"]), str(found["kind"])) for found in blanked if isinstance(found, dict)]
    lines += [*_table(("exchange", "place", "why"), rows), ""] if rows else ["None.", ""]
    lines += ["### Left in: each narrows the crowd", "", *_table(("what", "where", "value"), _leaves(one["left in"])), ""]
    return lines


def _among(among: dict[str, Json]) -> list[str]:
    lines = ["## In which crowd", "", str(among["says"]), ""]
    kinds = {kind: found for kind, found in among.items() if isinstance(found, dict)}
    names = dict.fromkeys(name for found in kinds.values() for name in found)
    rows = [(name, *(str(found.get(name, "none")) for found in kinds.values())) for name in names]
    return [*lines, *_table(("k of", *kinds), rows)] if kinds else lines


def _rows(counts: Json) -> list[tuple[str, ...]]:
    return [(str(name), f"{number:,}") for name, number in counts.items() if isinstance(number, int)] if isinstance(counts, dict) else []


def _leaves(left: Json) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for kind, places in left.items() if isinstance(left, dict) else ():
        for place, values in places.items() if isinstance(places, dict) else ():
            rows.append((kind, place, _shown(values) if isinstance(values, list) else str(values)))
    return rows


def _shown(values: list[Json]) -> str:
    """A few values; the JSON report has them all."""
    more = len(values) - _MOST_VALUES
    return ", ".join(map(str, values[:_MOST_VALUES])) + (f" and {more} more" if more > 0 else "")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells]
