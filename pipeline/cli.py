"""`tfx pipeline`: its verbs, each of which parses its options, calls one function and prints the result."""

from typing import Final

import click

from pipeline.verbs.export import export
from pipeline.verbs.look import check, show, trace
from pipeline.verbs.run import run
from pipeline.verbs.serve import serve
from pipeline.verbs.upkeep import rebuild, upgrade

VERBS: Final = (run, serve, show, check, trace, export, rebuild, upgrade)
"""As a person meets them, which is how --help lists them."""


class InOrderOfUse(click.Group):
    """A group that lists its verbs as a person meets them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those of the table, in its order."""
        del ctx
        return list(self.commands)


@click.group(cls=InOrderOfUse)
def pipeline() -> None:
    """Load pump events into DuckDB, from a cassette or from the live service; check and export them.

    \b
    Examples:
      tfx pipeline run --cassette cassettes/session-us.json
      tfx pipeline run --database duckdb:///pump.duckdb --days 28
      tfx pipeline show --database duckdb:///pump.duckdb
      tfx pipeline check --database duckdb:///pump.duckdb
      tfx pipeline trace --database duckdb:///pump.duckdb 12345
      tfx pipeline export --database duckdb:///pump.duckdb --output history
    """


for verb in VERBS:
    pipeline.add_command(verb)
