"""The report of `tfx show --html`: one self-contained HTML file without scripts, fonts or links. Pure."""

from collections.abc import Iterable, Sequence
from html import escape
from string import Template
from typing import Final

from replayer.contents.glucose import readings
from replayer.contents.picture import TARGET, picture
from replayer.contents.summary import Contents, name_of, totals
from tfx.cassette import Cassette

_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root {
  --ground: #fff; --text: #1b1f24; --soft: #59636e; --line: #d8dee4;
  --target: #e6f4ea; --in: #1a7f37; --low: #cf222e; --high: #9a6700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1117; --text: #e6edf3; --soft: #9198a1; --line: #30363d;
    --target: #12261a; --in: #3fb950; --low: #ff7b72; --high: #d29922;
  }
}
body {
  margin: 2rem auto; max-width: 62rem; padding: 0 1rem;
  background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
}
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
p { margin: .25rem 0; color: var(--soft) }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { color: var(--soft); font-weight: 600 }
.number { text-align: right }
svg { display: block; width: 100%; height: auto; font-size: 12px }
svg text { fill: var(--soft) }
.grid { stroke: var(--line) }
.target { fill: var(--target) }
.dot { fill: none; stroke-width: 4; stroke-linecap: round }
.in { stroke: var(--in) }
.low { stroke: var(--low) }
.high { stroke: var(--high) }
</style>
</head>
<body>
$body
</body>
</html>
""")
START: Final = _PAGE.template.partition("$title")[0]
"""Every page begins with this."""


def page(recorded: Cassette, found: Contents) -> str:
    """The whole file, as text."""
    heading = (
        f"<h1>{escape(recorded.name)}</h1>",
        _line(f"era {recorded.era}, region {recorded.region}, {len(found.lines)} exchanges"),
        _line(f"clock {recorded.clock:%Y-%m-%d %H:%M} UTC, policy {recorded.policy}, therapy values: {recorded.values}"),
        _line(_span(found)),
    )
    exchanges = [
        (line.number, line.endpoint, line.query.replace("&", " ") if line.events is not None else "", line.status, line.bytes, line.events)
        for line in found.lines
    ]
    parts = (
        *heading,
        *_glucose(recorded),
        _table("Exchanges", ("#", "request", "window", "status", "bytes", "events"), exchanges),
        _table("Pump events", ("code", "event", "count"), [(code, name_of(code), count) for code, count in sorted(found.codes.items())]),
        _table("Rules applied", ("rule", "places"), list(recorded.rules.items())),
    )
    return _PAGE.substitute(title=escape(f"{recorded.name}: a tfx cassette"), body="\n".join(part for part in parts if part))


def _span(found: Contents) -> str:
    return totals(found) if found.codes else "no pump events"


def _glucose(recorded: Cassette) -> tuple[str, ...]:
    measured = readings(recorded)
    if not measured:
        return ()
    values = [glucose for _, glucose in measured]
    low, high = TARGET
    share = sum(low <= one <= high for one in values) / len(values)
    told = (
        f"{len(values)} readings, mean {sum(values) / len(values):.0f} mg/dL, {share:.0%} from {low} to {high} (the band), pump wall clock"
    )
    return ("<h2>Glucose</h2>", _line(told), picture(measured))


def _line(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table(title: str, heads: Sequence[str], rows: Sequence[Iterable[object]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col"{_aligned(name)}>{escape(name)}</th>' for name in heads)
    lines = (
        "".join(f"<td{_aligned(name)}>{'' if cell is None else escape(str(cell))}</td>" for name, cell in zip(heads, row, strict=True))
        for row in rows
    )
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f'<h2>{escape(title)}</h2>\n<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _aligned(name: str) -> str:
    return ' class="number"' if name in ("#", "status", "bytes", "events", "code", "count", "places") else ""
