"""`tfx show`: list what is on a cassette. Parses, reads, prints."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfx.cassette_argument import CASSETTE

if TYPE_CHECKING:
    from rich.table import Table

    from replayer.contents.summary import Contents
    from tfx.cassette import Cassette


@click.command()
@click.argument("cassette", type=CASSETTE)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a self-contained HTML page, with a glucose chart.")
def show(cassette: Path, *, as_json: bool, html: Path | None) -> None:
    """List what is on CASSETTE: exchanges, pump events by type, time span, rules applied.

    \b
    Examples:
      tfx show cassettes/session-us.json
      tfx show cassettes/session-us.json --json
      tfx show cassettes/session-us.json --html session-us.html
    """
    from replayer.contents.summary import contents, machine_readable, totals
    from tfx.store import load

    _check(html, cassette, as_json=as_json)
    recorded = load(cassette)
    found = contents(recorded)
    if html is not None:
        _write(html, recorded, found)
        return
    if as_json:
        click.echo(machine_readable(recorded, found))
        return
    from rich.console import Console

    console = Console(soft_wrap=False)
    console.print(f"[bold]{recorded.name}[/bold]: era {recorded.era}, region {recorded.region}, {len(found.lines)} exchanges")
    console.print(f"clock {recorded.clock:%Y-%m-%d %H:%M} UTC, policy {recorded.policy}, therapy values: {recorded.values}")
    for table in tables(recorded, found):
        console.print(table)
    if found.codes:
        console.print(totals(found))


def _check(html: Path | None, cassette: Path, *, as_json: bool) -> None:
    from tfx.errors import UsageError

    if html is not None and as_json:
        raise UsageError("--html and --json are two forms of the same; leave one out")
    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        # Else a slip of the hand would put a page where a cassette was.
        raise UsageError(f"--html writes a page, and {html} does not end in .html; name another file")
    if html is not None:
        from replayer.contents.page import START
        from tfx.output_file import check_output

        check_output(html, "the page", (START,), (cassette,))


def _write(html: Path, recorded: "Cassette", found: "Contents") -> None:
    from replayer.contents.page import page
    from tfx.errors import UsageError
    from tfx.output_file import write_whole
    from tfx.plural import plural

    text = page(recorded, found)
    try:
        write_whole(html, text.encode(), through_links=True)
    except OSError as error:
        raise UsageError(f"cannot write {html} ({error.strerror}); name another file, or make room there") from None
    click.echo(f"{html}: {plural(len(found.lines), 'exchange')}, {plural(found.codes.total(), 'pump event')}")


def tables(recorded: "Cassette", found: "Contents") -> "tuple[Table, ...]":
    """The exchanges, the events by code, the rules."""
    from rich.box import SIMPLE
    from rich.table import Table

    from replayer.contents.summary import name_of

    exchanges = Table("#", "request", "window", "status", "bytes", "events", box=SIMPLE, title="exchanges", title_justify="left")
    for line in found.lines:
        window = "" if line.events is None else line.query.replace("&", " ")
        cells = (line.number, line.endpoint, window, line.status, line.bytes, "" if line.events is None else line.events)
        exchanges.add_row(*map(str, cells))
    events = Table("code", "event", "count", box=SIMPLE, title="pump events", title_justify="left")
    for code, count in sorted(found.codes.items()):
        events.add_row(str(code), name_of(code), str(count))
    rules = Table("rule", "places", box=SIMPLE, title="rules applied", title_justify="left")
    for rule, count in recorded.rules.items():
        rules.add_row(rule, str(count))
    return tuple(table for table in (exchanges, events, rules) if table.row_count)
