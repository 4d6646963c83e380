"""`tfx diff`: drift between two cassettes. Parses, compares, prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfx.cassette_argument import CASSETTE

if TYPE_CHECKING:
    from replayer.contents.drift import Drift


@click.command()
@click.argument("old", type=CASSETTE)
@click.argument("new", type=CASSETTE)
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def diff(old: Path, new: Path, *, as_json: bool) -> int:
    """Compare two cassettes: has the service changed?

    Compares requests, statuses, JSON members and their types, not values.

    Exit code 1 if there is a difference.

    \b
    Example:
      tfx diff cassettes/session-us.json /tmp/today/session-us.json
    """
    from replayer.contents.drift import drift
    from tfx.store import load

    return report(drift(load(old), load(new)), as_json=as_json)


def report(found: "Sequence[Drift]", *, as_json: bool) -> int:
    """Print the differences; the exit code, 1 if there are any."""
    import json
    from dataclasses import asdict

    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            click.echo(str(one))
        click.echo(f"tfx: {len(found)} difference{'s'[: len(found) > 1]}" if found else "tfx: no drift", err=True)
    return 1 if found else 0
