"""`tfx diff`: drift between two cassettes. Parses, compares, prints."""

from pathlib import Path

import click


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the differences as a JSON list.")
def diff(old: Path, new: Path, *, as_json: bool) -> int:
    """Say what changed in the service between two recordings: requests, statuses, members and types; values are no drift.

    Exit code 1 if anything did.

    \b
    Example:
      tfx diff cassettes/session-us.json /tmp/today/session-us.json
    """
    import json
    from dataclasses import asdict

    from replayer.drift import drift
    from tfx.store import load

    found = drift(load(old), load(new))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            click.echo(str(one))
        click.echo(f"tfx: {len(found)} differences" if found else "tfx: no drift", err=True)
    return 1 if found else 0
