"""Commands that fail while they hold secrets: what is planted, the command line, and the exit code."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from gzip import compress
from pathlib import Path

from canary import EMAIL, FAMILY, NAME, PASSWORD, ROOT, SERIAL, TOKEN, UUID, Bench
from canary_commands import COMMANDS

from recorder.checkpoint import Checkpoint, Errand, path_of
from recorder.credentials import Credentials

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
SOURCE = "https://source.tandemdiabetes.com"
PUMPER = f"{SOURCE}/api/reports/bff/pumper/{UUID}"
CASSETTE = (ROOT / "cassettes" / "session-us.json").read_bytes()


@dataclass(frozen=True, kw_only=True)
class Row:
    """`plant` leaves the arguments; `fault` is the stand-in's, None for no stand-in; 0 as `code`: what was planted is taken out."""

    why: str
    plant: Callable[[Bench], list[str]]
    code: int
    fault: tuple[str, ...] | None = None


def entry(url: str = PUMPER, *, answer: str = "{}", media: str = "application/json", sent: str = "", **more: object) -> dict[str, object]:
    """An entry of a HAR file with canaries where a browser has secrets."""
    headers = [{"name": "Authorization", "value": f"Bearer {TOKEN}"}, {"name": "Cookie", "value": f"idsrv={PASSWORD}"}]
    request = {
        "method": "POST" if sent else "GET",
        "url": url,
        "headers": headers,
        "postData": {"mimeType": "application/json", "text": sent},
    }
    content = {"mimeType": media, "text": answer}
    response = {"status": 200, "statusText": "OK", "headers": [{"name": "Content-Type", "value": media}], "content": content}
    return {"startedDateTime": "2026-11-18T20:30:00Z", "request": request, "response": response | more}


def without_body() -> dict[str, object]:
    """A sign-in of which the exporting program left out what was posted."""
    made = entry(LOGIN, answer=PERSON)
    return made | {"request": {"method": "POST", "url": f"{LOGIN}?{PASSWORD}", "headers": [], "bodySize": len(PASSWORD)}}


LOGS = f"{SOURCE}/api/reports/bff/pump-logs/{UUID}?pumperId={UUID}&startDate=2026-11-18T00%3A00%3A00Z&eventCodes=229"
"""Tells which era a recording is of."""


EVENTS = f"{SOURCE}/api/reports/reportsfacade/pumpevents/{UUID}/{SERIAL}?minDate=2026-11-18"


def har(*entries: object) -> dict[str, object]:
    return alone(entry(LOGS, answer='{"events": []}'), *entries)


def alone(*entries: object) -> dict[str, object]:
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": list(entries)}}


def imports(why: str, code: int, content: object, name: str = "web.har") -> Iterator[Row]:
    """A recording of another tool, by both verbs that read it and the two that only look."""
    yield Row(
        why=f"sanitize: {why}",
        code=code,
        plant=lambda b: ["sanitize", b.plant(name, content), "--output", "out", "--report", "r.json", "--json"],
    )
    yield Row(why=f"sanitize --suggest: {why}", code=code, plant=lambda b: ["sanitize", b.plant(name, content), "--suggest"])
    yield Row(why=f"convert: {why}", code=code, plant=lambda b: ["convert", b.plant(name, content), "made.json", "--json"])
    yield Row(why=f"sanitize --check: {why}", code=1, plant=lambda b: ["sanitize", "--check", b.plant(name, content), "--json"])


PERSON = json.dumps({"firstName": NAME, "lastName": FAMILY, "dateOfBirth": "1984-02-29", "pumps": [{"serialNumber": SERIAL, "nick": NAME}]})
LOGIN = "https://tdcservices.tandemdiabetes.com/accounts/api/login"
TOKENS = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/token"
TWICE = b64encode(compress(compress(PERSON.encode()))).decode()
PACKED = [{"name": "Content-Type", "value": "application/json"}, {"name": "Content-Encoding", "value": "gzip"}]
RECORDINGS: tuple[tuple[str, int, object], ...] = (
    (
        "a good one: all is taken out",
        0,
        har(entry(answer=PERSON), entry(LOGIN, sent=json.dumps({"username": EMAIL, "password": PASSWORD}))),
    ),
    ("not JSON", 2, f'{{"log": {NAME}'),
    ("cut off", 2, json.dumps(har(entry(answer=PERSON)))[:-40]),
    ("a member twice", 2, f'{{"log": 1, "log": "{PASSWORD}"}}'),
    ("not UTF-8", 2, b'{"log": "' + PASSWORD.encode() + b'\xff"}'),
    ("entries that are none", 2, har(PASSWORD)),
    ("a URL that is none: it goes nowhere tfx knows", 0, har(entry(f"https://[{NAME}/"))),
    ("a token that is none", 1, har(entry(TOKENS + "?code=" + TOKEN, sent="{}", answer=json.dumps({"id_token": f"ey{TOKEN}.{NAME}"})))),
    ("only other hosts", 2, alone(entry(f"https://{NAME}.example.org/{PASSWORD}"))),
    ("both regions", 2, har(entry(answer=PERSON), entry(PUMPER.replace("source.", "source.eu."), answer=PERSON))),
    ("a type nobody knows", 1, har(entry(answer=PERSON, media="application/x-protobuf"))),
    ("another charset", 1, har(entry(answer=PERSON, media="application/json; charset=utf-16"))),
    ("a form for an answer", 1, har(entry(answer=f"a={PASSWORD}", media="application/x-www-form-urlencoded"))),
    ("JSON that is none", 1, har(entry(answer=PERSON[:-5]))),
    ("a number nobody can read", 1, har(entry(answer=f'{{"{NAME}": {"9" * 5000}}}'))),
    ("an encrypted token", 1, har(entry(TOKENS, answer=json.dumps({"access_token": TOKEN, "id_token": "e30.e30.e30.e30.e30"}), sent="{}"))),
    (
        "records that are none",
        1,
        alone(entry(EVENTS, answer=json.dumps(NAME))),
    ),
    ("two content types", 1, har(entry(answer=PERSON, headers=[{"name": "Content-Type", "value": f"text/{NAME}"}] * 2))),
    ("gzip once more", 1, har(entry(content={"mimeType": "application/json", "text": TWICE, "encoding": "base64"}, headers=PACKED))),
    ("a list, as vcrpy once wrote", 2, json.dumps([{"request": {"uri": PUMPER, "body": PASSWORD}}])),
    ("a time of no year", 2, har({**entry(answer=PERSON), "startedDateTime": "0001-01-01T00:00:00+14:00"})),
    ("a body that is gone", 2, har(without_body())),
    ("a status that is none", 2, har(entry(answer=PERSON, status=TOKEN))),
    ("base64 that is none", 2, har(entry(content={"mimeType": "application/json", "text": f"{NAME}!", "encoding": "base64"}))),
)
YAML: tuple[tuple[str, int, object], ...] = (
    ("YAML that is none", 2, f"interactions: [{PASSWORD}\n: {NAME}"),
    ("YAML that makes objects", 2, f"interactions:\n- !!python/object/apply:os.system ['{PASSWORD}']\nversion: 1\n"),
    ("a cassette of vcrpy without its end", 2, f"interactions:\n- request: {{uri: '{PUMPER}', body: '{PASSWORD}'}}\n"),
)


def with_cassette(content: bytes, *arguments: str) -> Callable[[Bench], list[str]]:
    def plant(bench: Bench) -> list[str]:
        name = bench.plant("session-us.json", content)
        return [argument.replace("CASSETTE", name) for argument in arguments]

    return plant


BROKEN = (
    ("an edit", CASSETTE.replace(b"Given1", NAME.encode(), 1)),
    ("an edit in the middle of a number", CASSETTE.replace(b'"lowGlucoseThreshold":', f'"lowGlucoseThreshold":{SERIAL}'.encode(), 1)),
    ("a live secret in a header", CASSETTE.replace(b'"Bearer tfx-access-token-000000000001"', f'"Bearer {TOKEN}"'.encode(), 1)),
    ("truncated", CASSETTE.replace(b"Given1", NAME.encode())[:9000]),
    ("another version", b'{"tfx_cassette": 99, "name": "' + NAME.encode() + b'"}'),
    ("no cassette", b'{"password": "' + PASSWORD.encode() + b'"}'),
    ("not UTF-8", b'{"tfx_cassette": 1, "name": "' + NAME.encode() + b'\xff"}'),
    ("a member twice", b'{"tfx_cassette": 1, "tfx_cassette": "' + PASSWORD.encode() + b'"}'),
)
READERS = (
    ("sanitize", "CASSETTE"),
    ("sanitize", "CASSETTE", "--report", "r.md", "--json"),
    ("show", "CASSETTE"),
    ("show", "CASSETTE", "--html", "page.html"),
    ("diff", "CASSETTE", "CASSETTE"),
    ("convert", "CASSETTE", "out.har"),
    ("replay", "CASSETTE", "--", "nothing.py"),
    ("pipeline", "run", "--cassette", "CASSETTE", "--json"),
    ("verify", "CASSETTE", "--simulated"),
)


def cassettes() -> Iterator[Row]:
    for why, content in BROKEN:
        yield Row(
            why=f"sanitize --check: {why}",
            code=1,
            plant=with_cassette(content, "sanitize", "--check", "CASSETTE", "--json", "--report", "r.json"),
        )
        for reader in READERS:
            yield Row(why=f"{' '.join(reader)}: {why}", code=2, plant=with_cassette(content, *reader))
    # Edited by hand and taken on purpose: what is no stand-in goes.
    yield Row(
        why="sanitize --edited",
        code=0,
        plant=with_cassette(BROKEN[0][1], "sanitize", "--edited", "CASSETTE", "--explain", "--report", "r.md"),
    )


RECORD = ["record", "week", "--since", "2026-11-18", "--until", "2026-11-18"]


def environment(bench: Bench, **more: str) -> list[str]:
    bench.environ(**{"TFX_EMAIL": EMAIL, "TFX_PASSWORD": PASSWORD} | more)
    return [*RECORD, "--pump", SERIAL, "--report", "r.json", "--json"]


def file(text: str, mode: int = 0o600, *, in_git: bool = False) -> Callable[[Bench], list[str]]:
    def plant(bench: Bench) -> list[str]:
        name = bench.plant("me.toml", text)
        Path(name).chmod(mode)
        if in_git:
            Path(".git").mkdir()
        return [*RECORD, "--credentials", name]

    return plant


def unfinished(damage: Callable[[bytes], bytes], password: str = PASSWORD) -> Callable[[Bench], list[str]]:
    """A recording that was cut short, and what happened to it since."""

    def plant(bench: Bench) -> list[str]:
        bench.environ(TFX_EMAIL=EMAIL, TFX_PASSWORD=PASSWORD)
        path = path_of("week", Path("cassettes"))
        day = date(2026, 11, 18)
        errand = Errand(region="us", era="2026-10", since=day, until=day, pump=SERIAL)
        Checkpoint.begin(path, Credentials(email=EMAIL, password=password), errand, NOW).close()
        path.write_bytes(damage(path.read_bytes()))
        return [*RECORD, "--resume"]

    return plant


GOOD = f'[tandem]\nemail = "{EMAIL}"\npassword = "{PASSWORD}"\n'


def proxied(bench: Bench) -> list[str]:
    return environment(bench, HTTPS_PROXY=f"http://{NAME}:{PASSWORD}@127.0.0.1:9")


RECORDINGS_OF_ONES_OWN = (
    Row(why="a leftover of an editor", code=2, plant=lambda b: ["sanitize", b.plant("x.json.orig", PERSON), "--output", "out"]),
    Row(
        why="rules that are none", code=2, plant=lambda b: ["sanitize", ".", "--policy", b.plant("own.toml", f'claims.nick = "{PASSWORD}')]
    ),
    Row(why="a proxy that is not there, with a password of its own", code=3, plant=proxied),
    Row(
        why="certificates that are not there",
        code=2,
        plant=lambda b: environment(b, REQUESTS_CA_BUNDLE="nowhere.pem", HTTPS_PROXY="http://127.0.0.1:9"),
    ),
    Row(why="a line end in the password", code=2, plant=lambda b: environment(b, TFX_PASSWORD=f"{PASSWORD}\n")),
    Row(why="half the credentials", code=2, plant=lambda b: environment(b, TFX_PASSWORD="")),
    Row(why="a file others may read", code=2, plant=file(GOOD, 0o644)),
    Row(why="a file that git would commit", code=2, plant=file(GOOD, in_git=True)),
    Row(why="a file that is not TOML", code=2, plant=file(f"[tandem]\npassword = {PASSWORD}")),
    Row(why="a file without the section", code=2, plant=file(f'password = "{PASSWORD}"')),
    Row(why="a region that is none", code=2, plant=lambda b: [*environment(b), "--region", "mars"]),
    Row(why="dates the wrong way round", code=2, plant=lambda b: [*environment(b), "--until", "2026-11-01"]),
    Row(why="nothing to resume", code=2, plant=lambda b: [*environment(b), "--resume"]),
    Row(why="resume what another password closed", code=2, plant=unfinished(lambda data: data, password=f"{PASSWORD}!")),
    Row(why="resume what is damaged", code=2, plant=unfinished(lambda data: data[:-9] + b"\0" * 9)),
    Row(why="resume what is of another version", code=2, plant=unfinished(lambda data: b"tfx unfinished recording 0\n" + data)),
    Row(why="resume another errand", code=2, plant=lambda b: [*unfinished(lambda data: data)(b), "--region", "eu"]),
    Row(
        why="a database that nobody can open",
        code=2,
        plant=lambda _: ["pipeline", "run", "--database", f"postgresql://{NAME}:{PASSWORD}@127.0.0.1:9/x"],
    ),
    Row(why="a pipeline without credentials", code=2, plant=lambda _: ["pipeline", "run", "--days", "1"]),
)


def of_the_account(bench: Bench) -> list[str]:
    """The right credentials; `walk` sets them."""
    return [*RECORD, "--report", "r.json"]


FAULTS = (
    Row(why="a wrong password", code=3, fault=(), plant=lambda b: environment(b)[:-5]),
    Row(why="a pump that is not on the account", code=2, fault=(), plant=lambda _: [*RECORD, "--pump", SERIAL]),
    Row(why="the other region", code=3, fault=(), plant=lambda _: [*RECORD, "--region", "eu"]),
    Row(why="refused at the door", code=3, fault=("sso-page:1+:403-waf",), plant=of_the_account),
    Row(why="a page where the tokens should be", code=3, fault=("token:1+:content-type",), plant=of_the_account),
    Row(why="no tokens", code=3, fault=("token:1+:500",), plant=of_the_account),
    Row(why="no keys", code=3, fault=("jwks:1+:503",), plant=of_the_account),
    Row(why="the account is shut", code=3, fault=("pumper:1+:401",), plant=of_the_account),
    Row(why="a page where the pumps should be", code=3, fault=("pumper:1+:content-type",), plant=of_the_account),
    Row(why="a connection that breaks off among the events", code=3, fault=("pump-logs:1+:reset",), plant=of_the_account),
    Row(why="an answer that is cut off", code=3, fault=("pump-logs:1+:truncated",), plant=of_the_account),
    Row(why="a service that is down", code=3, fault=("pump-logs:1+:503",), plant=of_the_account),
    Row(
        why="verify against the wrong account",
        code=3,
        fault=("token:1+:500",),
        plant=with_cassette(CASSETTE, "verify", "CASSETTE", "--json"),
    ),
    Row(why="the pipeline, live", code=3, fault=("pumper:1+:500",), plant=lambda _: ["pipeline", "run", "--days", "1", "--json"]),
)

ROWS = (
    *(row for recording in RECORDINGS for row in imports(*recording)),
    *(row for recording in YAML for row in imports(*recording, name="web.yaml")),
    *cassettes(),
    *RECORDINGS_OF_ONES_OWN,
    *FAULTS,
    *(Row(why=f"command {number}", code=code, plant=plant) for number, (code, plant) in enumerate(COMMANDS)),
)
