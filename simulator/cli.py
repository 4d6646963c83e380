"""`tfx simulate`: run the simulated service until interrupted."""

import shlex
from datetime import UTC, datetime

import click

from tfx.errors import UsageError
from tfx.extras import need
from tfx.interrupted import interrupted


@click.command()
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True, help="Region of the account.")
@click.option("--era", type=click.Choice(["2025", "2026-07", "2026-10"]), default="2026-10", show_default=True, help="Version of the API.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another number is another invented account.")
@click.option("--now", metavar="ISO", help="Stop the clock at this time (UTC unless it has an offset).  [default: the real clock]")
@click.option("--days", type=click.FloatRange(0.25, 366), default=3.0, show_default=True, help="Days of history.")
@click.option("--guardian", is_flag=True, help="Make it the account of a guardian.")
@click.option(
    "--fault", "faults", multiple=True, metavar="ENDPOINT:N:KIND", help="Make the Nth request to ENDPOINT fail; N+ for all from the Nth on."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback.  [default: any free one]")
@click.option("--print-env", is_flag=True, help="Print only the export lines.")
def simulate(
    *,
    region: str,
    era: str,
    seed: int,
    now: str | None,
    days: float,
    guardian: bool,
    faults: tuple[str, ...],
    port: int,
    print_env: bool,
) -> None:
    """Run a simulated Tandem Source, with an invented account, until interrupted.

    Prints the shell lines that lead any client to it, in any language: the proxy, the certificate to trust, and the
    e-mail and password of the invented account.

    \b
    Faults:
      STATUS (an error status such as 401, 429 or 503), 403-waf, content-type, reset, truncated, drip, timeout,
      late=SECONDS
    Endpoints:
      sso-page, login, authorize, callback-us, callback-eu, token, discovery, jwks,
      pumper, pump-logs, pumpers, pump-event-metadata, pump-events, any

    \b
    Examples:
      tfx simulate --print-env > stand-in.env &
      . ./stand-in.env && python my_client.py
      tfx simulate --region eu --era 2025 --days 14
      tfx simulate --fault pump-logs:2:500 --fault pump-logs:3:reset --fault login:1:429
    """
    need("tfx simulate", "simulator")
    from simulator.account import account
    from simulator.proxy import running
    from tandem.faults import Fault

    table = [Fault.parse(text) for text in faults]
    frozen = None if now is None else instant(now)
    person = account(identity=seed, therapy=seed, now=frozen or real_now(), days=days, region=region, guardian=guardian)
    with interrupted() as stop, running(person, era=era, now=frozen or real_now, faults=table, port=port, pause=1.0) as stand_in:
        if not print_env:
            click.echo(f"# The stand-in for Tandem Source ({era}, {region}) runs; the account is invented. Ctrl-C ends it.", err=True)
        for name, value in {**stand_in.environment, "TFX_EMAIL": person.email, "TFX_PASSWORD": person.password}.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        stop.wait()
        for warning in stand_in.warnings:
            click.echo(f"tfx: {warning}.", err=True)


def real_now() -> datetime:
    """The real clock, aware UTC."""
    return datetime.now(UTC)


def instant(text: str) -> datetime:
    """An instant as typed, UTC unless it names an offset; UsageError."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"cannot read the instant {text!r}; write it like 2026-11-02T08:00:00Z") from error
