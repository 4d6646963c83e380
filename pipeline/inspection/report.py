"""What the verbs report, as text. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from pipeline.inspection.check import Checked
from pipeline.inspection.contents import Contents, PumpContents
from pipeline.inspection.instant_checks import Doubt
from pipeline.inspection.missing_numbers import Missing
from pipeline.inspection.places import Place
from pipeline.inspection.trace import Traced
from pipeline.running.partitions import Partition
from tfx.jsonbody import Json

_WORDS: Final = {"unknown": "unknown code"}


def as_text(report: Mapping[str, Json]) -> str:
    """The report for a person: rows per table, then the summary."""
    tables = cast("Mapping[str, Mapping[str, int]]", report["tables"])
    glucose, insulin, span, quarantine = (
        cast("Mapping[str, float | None]", report[name]) for name in ("glucose", "insulin", "span", "quarantine")
    )
    added = cast("Mapping[str, int]", report["added"])
    width = max(map(len, tables))
    lines = [f"{name:<{width}}  {table['rows']:>9,}" for name, table in tables.items()]
    in_range = glucose["in_range_70_180"]
    share = "-" if in_range is None else f"{in_range:.1%}"
    readings = f"{glucose['readings']:,} readings with a value in {tables['cgm_readings']['rows']:,} messages"
    lines += [
        "",
        f"received  {report['received']:,} events: {_fates(report, added)}",
        f"span      {_span(span, report)}",
        f"glucose   {readings}, mean {glucose['mean_mg_dl'] or '-'} mg/dL, {share} in range (70-180 mg/dL)",
        f"insulin   {insulin['delivered_units']:,} units delivered: {insulin['basal_units']:,} basal, {insulin['bolus_units']:,} bolus",
    ]
    lines += [_metrics(row) for row in cast("Sequence[Mapping[str, Json]]", report["metrics"]) if row["span"] == "14 days"]
    lines += [
        f"clock     {count:,} events {clock}: see tfx pipeline check" for clock, count in cast("Mapping[str, int]", report["clock"]).items()
    ]
    lines += [f"set aside {count:,} x {reason}" for reason, count in quarantine.items()]
    return "\n".join(lines)


def _span(span: Mapping[str, object], report: Mapping[str, Json]) -> str:
    zones = ", ".join(cast("Sequence[str]", report["zones"]))
    kept = f"; instants under the zone {zones}" if zones else ""
    if span["first"] is None:
        return f"no event but changes of the clock{kept}" if zones else "no events"
    return f"{span['first']} to {span['last']} on the pump's clock{kept}"


def _fates(report: Mapping[str, Json], added: Mapping[str, int]) -> str:
    """What became of the events received; the numbers add up to them."""
    new = added.get("raw_events", 0)
    aside = cast("Mapping[str, int]", report["aside"])
    again = cast("int", report["received"]) - new - sum(aside.values())
    fates = [(new, "new"), (again, "seen before"), *((count, f"set aside ({reason})") for reason, count in aside.items())]
    return ", ".join(f"{count:,} {words}" for count, words in fates if count or words == "new")


def unread_as_text(report: Mapping[str, Json], again: str | None) -> str:
    """Which days are missing because their answers could not be read, and the command that asks for them again, where one does."""
    told = ", ".join(cast("Sequence[str]", report["unread"]))
    then = f"ask again with: {again}" if again else "nothing asked them again; look at the quarantine"
    return f"what the service answered for {told} could not be read to its end; the quarantine keeps it, events are missing; {then}"


def changed_as_text(changed: int) -> str:
    """What it means that so many events came under numbers that are taken."""
    return (
        f"{changed:,} events say something else than those of the same number that the database has of this pump; the quarantine alone "
        "keeps them, no table counts them. tfx pipeline check says whether they look like a pump that was reset"
    )


def _metrics(row: Mapping[str, Json]) -> str:
    """The consensus metrics of a pump's last 14 days (alembic/versions/0014_metrics.py says whose)."""
    told = f"{row['share_of_readings']:.0%} of {row['days']} days"
    enough = "sufficient" if row["sufficient"] else f"not sufficient: {told}; 70% of 14 are wanted"
    return (
        f"metrics   last 14 days: mean {row['mean_mmol_l']} mmol/L, "
        f"GMI {row['glucose_management_indicator_percent']} % ({row['glucose_management_indicator_mmol_mol']} mmol/mol), "
        f"CV {row['coefficient_of_variation_percent'] or '-'} %; "
        f"below 54 {row['below_54']:.1%}, 54-69 {row['from_54_to_69']:.1%}, tight range 70-140 {row['in_tight_range_70_to_140']:.1%}, "
        f"181-250 {row['from_181_to_250']:.1%}, above 250 {row['above_250']:.1%} ({enough})"
    )


def places_as_text(found: Checked) -> str:
    """What went where, a line a code, and what does not add up."""
    lines = [f"{place.code:>4}  {place.name:<26} {place.events:>9,}  {_destination(place)}" for place in found.places]
    received, events = sum(place.received for place in found.places), sum(place.events for place in found.places)
    reasons = ", ".join(f"{count:,} x {reason}" for reason, count in found.set_aside.items())
    aside = f"{sum(found.set_aside.values()):,} set aside{f' ({reasons})' if reasons else ''}"
    lines += ["", f"{received:,} records kept, each once; {events:,} events; {aside}"]
    lines += [_missing(one) for one in found.missing]
    lines += [_doubt(one) for one in found.doubts]
    lines += [str(one) for one in found.breaks]
    if changed := found.set_aside.get("changed record"):
        lines.append(
            f"{changed:,} came again with other content: the first is in the tables, the other in quarantine; see tfx pipeline trace"
        )
    return "\n".join([*lines, *(found.findings or ("Everything is where it belongs.",))])


def _missing(one: Missing) -> str:
    around = " to ".join(f"{number}{f' ({time})' if time else ''}" for number, time in zip(one.around, one.times, strict=True))
    return (
        f"not received: {one.numbers:,} of {one.span:,} sequence numbers of device {one.device}, in {one.gaps:,} gaps; "
        f"the largest from {around}"
    )


_WHY: Final = {
    "assumed": "its clock was wrong for the zone, was never set or had lost its time; time continues from where it was; is --zone right?",
    "ambiguous": "the hour came twice; the first is taken",
    "missing": "the zone skipped that hour; the old offset is taken",
}


def _doubt(one: Doubt) -> str:
    return f"instants {one.clock}: {one.events:,} events of device {one.device}, {one.first} to {one.last} on its clock: {_WHY[one.clock]}"


def counts_as_text(counts: Mapping[str, int]) -> str:
    """Names and numbers, a line each."""
    width = max(map(len, counts), default=0)
    return "\n".join(f"{name:<{width}}  {count:>9,}" for name, count in counts.items())


def contents_as_text(found: Contents) -> str:
    """What a database holds, for a person."""
    written = f"; last written {found.written:%Y-%m-%d %H:%M} UTC" if found.written else ""
    lines = [f"schema {found.schema}{written}", "", *(line for pump in found.pumps for line in _pump(pump))]
    lines += ["", counts_as_text(found.tables)]
    lines += [f"set aside {count:,} x {reason}" for reason, count in found.quarantine.items()]
    return "\n".join(lines if found.pumps else [lines[0], "no pump: nothing was loaded into it yet"])


def _pump(pump: PumpContents) -> Iterator[str]:
    model = f"{pump.model_name or 'model'} {pump.model_number or 'unknown'}"
    yield f"pump {pump.device}: {model}, software {pump.software_version or 'unknown'}, serial number ...{pump.serial_number[-3:]}"
    span = f"{pump.first} to {pump.last} on its clock" if pump.first else "nothing but changes of its clock"
    yield f"  events: {pump.events:,}, {span}; instants under the zone {pump.zone}"
    if pump.unread:
        yield f"  could not be read, the next run asks again: {', '.join(pump.unread)}"


def traced_as_text(traced: Sequence[Traced]) -> str:
    """The way of an event, a step a line."""
    lines = []
    for one in traced:
        lines.append(f"device {one.device}, sequence group {one.sequence_group}, event {one.sequence_number}")
        lines += [f"  {step}" for step in one.steps]
    return "\n".join(lines)


def _destination(place: Place) -> str:
    told = _WORDS.get(place.table, place.table) if place.rows is None else f"{place.table} {place.rows:,}"
    rest = (f"{count:,} {word}" for word, count in (("set aside", place.set_aside), ("without a reading", place.silent)) if count)
    return ", ".join((told, *rest))


def partitions_as_text(done: Sequence[Partition]) -> str:
    """What became of many accounts: how many of each fate, why one was refused, and what was damaged in one that was made again."""
    fates = Counter(partition.status for partition in done)
    lines = [f"{count:>9,}  accounts {fate}" for fate, count in fates.items()]
    lines.append(f"{sum(partition.events for partition in done):>9,}  pump events in all partitions")
    words = {"refused": "refused   "}
    lines += [
        f"{words.get(partition.status, 'incomplete')} {partition.account}: {partition.reason}" for partition in done if partition.reason
    ]
    lines += [f"made again {partition.account}: {partition.damage}" for partition in done if partition.damage]
    return "\n".join(lines)
