"""The demo's report: what was recorded, what each rule did, the proofs, the rows. Tables are rich's. Pure but for printing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One thing that was shown, not said."""

    claim: str
    shown: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the demo found out."""

    recorded: Mapping[str, str]
    rules: Mapping[str, int]
    proofs: Sequence[Proof]
    client: Mapping[str, object]
    rows: Mapping[str, int]
    summary: Mapping[str, object]
    picture: str
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every proof holds."""
        return all(proof.holds for proof in self.proofs)

    def as_json(self) -> dict[str, object]:
        """The same without the picture."""
        return {
            "recorded": dict(self.recorded),
            "rules": dict(self.rules),
            "proofs": [{"claim": proof.claim, "shown": proof.shown, "holds": proof.holds} for proof in self.proofs],
            "client": dict(self.client),
            "rows": dict(self.rows),
            "summary": dict(self.summary),
            "holds": self.holds,
        }


def show(report: Report, console: Console) -> None:
    """Print it."""
    console.print()
    console.print(_pairs("Recorded", report.recorded))
    console.print(_columns("Places each rule touched", report.rules))
    console.print(_proofs(report.proofs))
    console.print(_pairs("tconnectsync, unmodified and offline", report.client))
    console.print(_columns("Rows in DuckDB", report.rows))
    console.print(_pairs("Pipeline", report.summary))
    console.print("[bold]Glucose, mg/dL[/bold] (lines: the target range 70 to 180)")
    console.print(report.picture, markup=False, highlight=False)
    console.print()
    words = "Everything holds" if report.holds else "Something does not hold: see the proofs above"
    console.print(f"[bold]{words}[/bold] ({report.seconds:.0f} s).")


def _pairs(title: str, pairs: Mapping[str, object]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=box.SIMPLE, pad_edge=False)
    for key, value in pairs.items():
        table.add_row(key, str(value))
    return table


def _columns(title: str, counts: Mapping[str, int], *, columns: int = 3) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=box.SIMPLE, pad_edge=False)
    for _ in range(columns):
        table.add_column(style="dim")
        table.add_column(justify="right")
    cells = [(key, f"{count:,}") for key, count in counts.items()]
    height = -(-len(cells) // columns)
    for row in range(height):
        table.add_row(*(text for cell in cells[row::height] for text in cell))
    return table


def _proofs(proofs: Sequence[Proof]) -> Table:
    table = Table(title="Proof", title_justify="left", title_style="bold", show_header=False, box=box.SIMPLE, pad_edge=False)
    for proof in proofs:
        table.add_row("[green]holds[/green]" if proof.holds else "[red]FAILS[/red]", proof.claim, proof.shown)
    return table
