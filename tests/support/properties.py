"""Compare live and replayed responses of each HTTP library, property by property, for docs/replay-properties.md.

Each library signs in to the stand-in over real HTTPS, then to the recording of that.

python tests/support/golden.py writes docs/replay-properties.md from what is found here.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode, urlsplit

from stack_shape import Found, Properties, Stack
from stacks import STACKS, opened

from replayer.session import offline
from simulator.account import Account, account
from simulator.service import Service
from tandem.endpoints import BY_NAME
from tandem.regions import HOSTS, REGIONS, SSO_URL
from tfx.cassette import Cassette
from tfx.exchange import Exchange, Request
from tfx.loopback import Loopback, answering
from tfx.signing import s256
from tfx.tunnel import Reply

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
US = REGIONS["us"]
VERIFIER = "v" * 43
DATA = {"Origin": US.source_url.rstrip("/"), "Referer": US.source_url}

PAGE = Path(__file__).parents[2] / "docs" / "replay-properties.md"

REASONS = {
    ("requests", "raw after the end"): "`raw.tell()` of a chunked response: 0 live, the number of bytes read in a replay",
    ("httpx", "extensions"): "no `network_stream`: there is no network",
    ("httpx async", "extensions"): "no `network_stream`: there is no network",
}
"""Every difference there is, and why it stays."""


@contextmanager
def taped(person: Account) -> Iterator[tuple[Loopback, list[Exchange]]]:
    """The stand-in over HTTPS, and everything it answers."""
    service = Service(person, now=NOW)
    exchanges: list[Exchange] = []

    def reply(request: Request) -> Reply:
        found = service.reply(request)
        exchanges.append(Exchange(request=request, response=found.response))
        return found

    with answering(HOSTS, reply, name="The stand-in") as loopback, patch.dict(os.environ, loopback.environment):
        yield loopback, exchanges


def conversation(client: Stack, person: Account) -> list[Properties]:
    """Signing in, the data, and what the service refuses; the properties of every answer."""
    kept: dict[str, str] = {}
    found: list[Properties] = []

    def ask(method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Found:
        carried = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())} if kept and not has_jar else {}
        one = client.ask(method, url, {**carried, **(headers or {})}, body)
        found.append(one.properties)
        return one

    first = client.ask("GET", SSO_URL, {})
    found.append(first.properties)
    has_jar = "jar" in first.properties
    login = json.dumps({"username": person.email, "password": person.password}).encode()
    signed = ask("POST", BY_NAME["login"].url(US), {"Content-Type": "application/json"}, login)
    if not has_jar:
        kept.update(cookies_of(signed))
    query = {"client_id": US.client_id, "response_type": "code", "scope": "openid profile email", "redirect_uri": US.redirect_uri}
    query |= {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"}
    landed = ask("GET", f"{BY_NAME['authorize'].url(US)}?{urlencode(query)}")
    where = landed.url if "code=" in landed.url else location_of(landed)
    form = {"grant_type": "authorization_code", "client_id": US.client_id, "code": parse_qs(urlsplit(where).query)["code"][0]}
    form |= {"redirect_uri": US.redirect_uri, "code_verifier": VERIFIER}
    sent = urlencode(form).encode()
    tokens = json.loads(ask("POST", BY_NAME["token"].url(US), {"Content-Type": "application/x-www-form-urlencoded"}, sent).body)
    data = {**DATA, "Authorization": f"Bearer {tokens['access_token']}"}
    ask("GET", BY_NAME["pumper"].url(US, pumperId=person.pumper_id), data)
    logs = BY_NAME["pump-logs"].url(US, assignmentId=person.current.assignment_id)
    window = {"pumperId": person.pumper_id, "startDate": "2026-11-01T00:00:00Z", "endDate": "2026-11-01T23:59:59Z"}
    ask("GET", f"{logs}?{urlencode(window)}", data)
    ask("GET", BY_NAME["pumper"].url(US, pumperId=person.pumper_id), DATA)
    ask("GET", f"{logs}?{urlencode(window)}", {**data, "Origin": "https://tconnect.tandemdiabetes.com"})
    ask("GET", f"{US.source_url}api/reports/gone", data)
    ask("HEAD", SSO_URL)
    return found


def cookies_of(found: Found) -> dict[str, str]:
    headers = found.properties["headers"]
    assert isinstance(headers, list)
    lines = [value.split(";")[0] for name, value in headers if name.lower() == "set-cookie" and "1970" not in value]
    pieces = [line.partition("=") for line in lines]
    return {name: value for name, _, value in pieces}


def location_of(found: Found) -> str:
    headers = found.properties["headers"]
    assert isinstance(headers, list)
    return str(next(value for name, value in headers if name.lower() == "location"))


def compared(stack: str, person: Account) -> dict[str, str]:
    """Property to the steps at which it differs; nothing where it never does."""
    with ExitStack() as until, taped(person) as (loopback, exchanges):
        client = opened(stack, loopback.proxy_url, str(loopback.ca_file), until)
        live = conversation(client, person)
        recorded = tuple(exchanges)
        cassette = Cassette(name="live", era="2026-10", region="us", clock=NOW, policy=1, exchanges=recorded)
        with offline(cassette):
            replayed = conversation(opened(stack, loopback.proxy_url, str(loopback.ca_file), until), person)
    assert len(live) == len(replayed)
    assert len(exchanges) == len(recorded), "nothing of the replay reached the stand-in"
    steps: dict[str, list[str]] = {}
    for number, (one, other) in enumerate(zip(live, replayed, strict=True), start=1):
        for name in {**one, **other}:
            steps.setdefault(name, [])
            if one.get(name) != other.get(name):
                steps[name].append(str(number))
    return {name: ", ".join(found) for name, found in steps.items()}


def table() -> dict[str, dict[str, str]]:
    """Stack to property to the steps at which it differs."""
    person = account(now=NOW, days=0.25)
    return {stack: compared(stack, person) for stack in STACKS}


HEAD = """# Live and replayed responses, property by property

`make expected` writes this page; `tests/integration/test_replay_properties.py` fails if it is no longer true. Each HTTP library signs in to
the simulated service over real HTTPS, reads the account and a window of events, and gets a 401, a 403 and a 404. All of it is recorded and
then replayed. `=` means that the property is the same in every response. A number is a difference, explained below the table. An empty
cell means that the library has no such property.

"""


def page(found: dict[str, dict[str, str]]) -> str:
    """The table as Markdown. KeyError for a difference nobody has explained."""
    rows = list(dict.fromkeys(name for properties in found.values() for name in properties))
    notes: list[str] = []
    lines = [f"| property | {' | '.join(found)} |", f"|---|{'---|' * len(found)}"]
    for row in rows:
        cells = []
        for stack, properties in found.items():
            cell = "" if row not in properties else "="
            if properties.get(row):
                reason = REASONS[stack, row]
                notes += [reason] if reason not in notes else []
                cell = str(notes.index(reason) + 1)
            cells.append(cell)
        lines.append(f"| {row} | {' | '.join(cells)} |")
    told = "\n".join(f"{number}. {note}." for number, note in enumerate(notes, start=1))
    return HEAD + "\n".join(lines) + f"\n\n{told}\n\n{TAIL}"


TAIL = """Not compared, because a recording does not hold them: the peer's certificate and address, socket options, and the duration of a
response (`elapsed` is the replay's own). `verify`, `cert` and proxies have no effect in a replay. Timeouts only matter where a fault delays
a response (`--fault`).
"""
