"""Mutation of the check: each finding is switched off in turn, and a broken cassette must then pass unnoticed.

Each broken cassette is looked at once, and each finding is traced to the line that said it. A cassette all of whose findings come from one
line is one that passes when that line is silent; so every line needs such a cassette, and so does every rule, domain and event field.
"""

# one row of a table is one line, however wide

import ast
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

import sanitizer
from sanitizer.check import COUNTED, looked_at
from sanitizer.files.era import eras_of
from sanitizer.places.visitors import Checker
from sanitizer.places.walk import walked
from sanitizer.policy.policy import Node, Range, Rule, policy
from sanitizer.replacements.actions import ACTIONS
from sanitizer.replacements.fields import bits_of, layout, ranges, treatment
from sanitizer.run import NOT_UNDERSTOOD, Run
from sanitizer.values.regenerate import regenerated
from tandem.endpoints import BY_NAME
from tandem.events import EVENTS, Field
from tandem.records import Records
from tandem.regions import REGIONS
from tfx.cassette import KEEP, SYNTHETIC, Cassette
from tfx.errors import RefusedError
from tfx.exchange import Exchange, Headers, Request, Response, Terms
from tfx.jsonbody import Json, write
from tfx.signing import claims_of, sign

pytestmark = pytest.mark.proofs

HERE = Path(sanitizer.__file__).parent
ODD = "Marisol 10871624"
PLACES = {
    "pumperId": "00000000-0000-4000-8000-000000000001",
    "assignmentId": "00000000-0000-4000-8000-000000000001",
    "tconnectDeviceId": "900001",
}
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
HTML = ("Content-Type", "text/html")
TURN = "out of turn"

Site = tuple[str, int, str]
"""A file, a line, and of a leaf its rule; of an event's property the code and the field."""


MANY = dict.fromkeys((*ACTIONS, *COUNTED), 99_999)
"""As many places as a head may say: what is counted is another row's."""


def counted(exchanges: tuple[Exchange, ...], values: object = KEEP) -> dict[str, int]:
    """What the head has to say of them, as far as they can be understood."""
    run = Run(policy=policy(), clock=datetime(2024, 7, 1, tzinfo=UTC))
    with suppress(RefusedError, *NOT_UNDERSTOOD):
        walked(Checker(run), exchanges)
        if values == SYNTHETIC:
            regenerated(Checker(run), exchanges)
    return {word: number for word, number in run.counts.items() if number}


def tape(*exchanges: Exchange, **head: object) -> Cassette:
    exchanges = exchanges or (at("sso-page"),)
    clean = Cassette(
        name="x",
        era=max(eras_of(exchanges), default="2026-10"),
        region="us",
        clock=datetime(2024, 7, 3, 20, 30, tzinfo=UTC),
        policy=policy().version,
        exchanges=exchanges,
        rules=counted(exchanges, head.get("values")),
    )
    return replace(clean, **head)  # type: ignore[arg-type]  # a wrong head is what is looked for


def at(
    name: str,
    answer: Json = None,
    *,
    path: dict[str, str] | None = None,
    query: str = "",
    sent: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    got: tuple[tuple[str, str], ...] = (),
    raw: bytes | None = None,
    status: int = 200,
    reason: str = "OK",
    ignore: tuple[str, ...] = (),
) -> Exchange:
    url = BY_NAME[name].url(REGIONS["us"], **PLACES | (path or {})) + (f"?{query}" if query else "")
    text = raw if raw is not None else b"" if answer is None else write(answer)
    lines = got if any(line[0] == "Content-Type" for line in got) else (JSON, *got)
    request = Request(method=BY_NAME[name].method, url=url, headers=Headers(sent), body=body)
    return Exchange(
        request=request, response=Response(status=status, reason=reason, headers=Headers(lines), body=text), terms=Terms(ignore=ignore)
    )


# --- who said it


@cache
def sites(file: Path) -> tuple[tuple[int, int], ...]:
    """First and last line of every call that says a finding, or hands one on."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    found = [node for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in SAYING]
    return tuple((node.lineno, node.end_lineno or node.lineno) for node in found)


SAYING = ("note", "_note", "unknown", "_settled")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[Site]:
    told: list[Site] = []
    before = Checker.note

    def note(self: Checker, place: str, kind: str, *, rule: str = "") -> None:
        frame = sys._getframe(1)  # the caller is what is asked for
        while frame.f_code.co_name in ("note", "_note", "unknown") or (frame.f_code.co_name == "_settled" and "self" in frame.f_locals):
            assert frame.f_back
            frame = frame.f_back
        file = Path(frame.f_code.co_filename)
        line = next(first for first, last in sites(file) if first <= frame.f_lineno <= last)
        what = (
            TURN
            if TURN in kind
            else str(frame.f_locals["rule"])
            if file.name == "visitors.py"
            else place
            if "eventProperties." in place
            else ""
        )
        told.append((file.name, line, what))
        before(self, place, kind, rule=rule)

    monkeypatch.setattr(Checker, "note", note)
    return told


def who_noticed(told: list[Site], broken: Cassette) -> set[Site]:
    told.clear()
    found = looked_at(broken)
    assert len(found) == len(told), "whatever is found was told by somebody"
    return set(told)


# --- every rule at every place


def nested(node: Node, leaf: Json, way: tuple[str, ...] = ()) -> Iterator[tuple[Rule, Json]]:
    """A value with one odd leaf, for each rule below."""
    if node.rule:
        yield node.rule, leaf
    for name, inner in (node.members or {}).items():
        yield from ((rule, {name: value}) for rule, value in nested(inner, leaf, (*way, name)))
    if node.items:
        yield from ((rule, [value]) for rule, value in nested(node.items, leaf, way))


def with_an_odd_leaf() -> Iterator[tuple[Rule, Cassette]]:
    rules = policy()
    for (name, way), tree in rules.bodies.items():
        for rule, value in nested(tree, ODD):
            sent = at(name, sent=(JSON,), body=write(value)) if way == "request" else at(name, value)
            yield rule, tape(sent)
    yield from ((rule, tape(at("pumper", value, status=500, reason=""))) for rule, value in nested(rules.errors, ODD))
    for rule, value in nested(rules.claims, ODD):
        yield rule, tape(at("token", {"id_token": sign(value)})) if isinstance(value, dict) else tape()
    for name, table in rules.paths.items():
        yield from ((rule, tape(at(name, path={key: "Marisol"}))) for key, rule in table.items())
    for name, table in rules.queries.items():
        yield from ((rule, tape(at(name, query=f"{key}=Marisol%2010871624"))) for key, rule in table.items())
    for name, table in rules.forms.items():
        yield from ((rule, tape(at(name, sent=(FORM,), body=f"{key}=Marisol+10871624".encode()))) for key, rule in table.items())
    for way, table in rules.headers.items():
        for key, rule in table.items():
            line = ((key.title().replace("Www-Authenticate", "WWW-Authenticate"), ODD),)
            status = 429 if rule.word == "wait" else 200
            yield rule, tape(at("sso-page", sent=line) if way == "request" else at("sso-page", got=line, status=status, reason=""))
    for key, rule in rules.cookie_attributes.items():
        yield rule, tape(at("sso-page", got=(("Set-Cookie", f"culture=tfx-cookie-000001; {key}={ODD}"),)))


TAKEN_APART = ("url", "jwt", "cookies", "set-cookie", "cookie-expiry", "cookie-age", "length", "drop")
"""Rules whose value is no leaf: there other lines speak, which the rows below are for."""
READ_FIRST = ("keep:content-type", "keep:coding")
"""Lines by which a body is read before any rule: there it is refused, which is a finding of its own."""


def test_every_rule_and_domain_is_missed_when_it_is_silent(said: list[Site]) -> None:
    alone: set[str] = set()
    every: set[str] = set()
    for rule, broken in with_an_odd_leaf():
        noticed = who_noticed(said, broken)
        assert noticed or rule.word == "length", rule
        if rule.word not in TAKEN_APART:
            every.add(str(rule))
        leaves = {site for site in noticed if site[0] == "visitors.py"}
        # An identifier in a path that is not what its rule is for leaves no address, which is said beside it.
        if len(leaves) == 1 and all(site in leaves or site[0] in ("walk.py", "carriers.py") for site in noticed):
            alone |= {what for _, _, what in leaves}
    assert every - alone - set(READ_FIRST) == set()
    assert {rule.partition(":")[0] for rule in every} | set(TAKEN_APART) >= set(ACTIONS) - {
        "access-token",
        "cookie",
        "cookie-name",
        "bearer",
        "subject",
    }


# --- every field of every event


def event(code: int, **more: Json) -> dict[str, Json]:
    return {
        "deviceAssignmentId": PLACES["assignmentId"],
        "eventCode": code,
        "sequenceGroup": 0,
        "sequenceNumber": 1,
        "pumpDateTime": "2024-07-02T10:00:00",
        **more,
    }


def outside(field: Field) -> Json:
    """A value that a sanitized field cannot have."""
    what = treatment(policy(), field)
    if what == "keep":
        return [63] if field.meaning == "bitmask" else 1e30 if field.type == "float32" else 1 << 40
    return {"zero": 7, "counter": 7, "bolus": 7, "date": 1001}[what]


def test_every_field_of_an_event_is_missed_when_it_is_silent(said: list[Site]) -> None:
    for code, kind in EVENTS.items():
        for field in kind.fields:
            broken = tape(at("pump-logs", {"events": [event(code, eventProperties={field.name: outside(field)})]}))
            noticed = who_noticed(said, broken)
            assert {what for _, _, what in noticed} == {f"response body.events[].eventProperties.{field.name}"}, (code, field.name)


def test_every_date_of_an_event_lies_in_the_window(said: list[Site]) -> None:
    dated = [
        (code, field) for code, kind in EVENTS.items() for field in kind.fields if field.time in ("pump_seconds", "pump_days", "unix_wall")
    ]
    assert len(dated) > 10
    day = {"pump_seconds": 86_400, "unix_wall": 86_400, "pump_days": 1}
    since = {"pump_seconds": 0, "unix_wall": 1_199_145_600, "pump_days": 0}
    for code, field in dated:
        for days, is_inside in ((4199, True), (4198, False), (6046, True), (6047, False), (6060, False), (33_602, True), (33_601, False)):
            value = since[field.time] + days * day[field.time]
            row: Json = event(code, eventProperties={field.name: value})
            assert bool(who_noticed(said, tape(at("pump-logs", {"events": [row]})))) is not is_inside, (code, field.name, days)
            if value <= field.bounds[1]:
                record = Records.build(code=code, seconds=[520_000_000], sequence=[1], columns={field.name: [value]})
                assert bool(who_noticed(said, tape(at("pump-events", record.to_base64()), era="2025"))) is not is_inside, (
                    code,
                    field.name,
                    days,
                )
    for seconds, is_inside in ((362_793_600, True), (362_793_599, False), (522_460_799, True), (522_460_800, False), (0, True)):
        record = Records.build(code=28, seconds=[seconds], sequence=[1])
        assert bool(who_noticed(said, tape(at("pump-events", record.to_base64()), era="2025"))) is not is_inside, seconds


def beside(field: Field, allowed: tuple[Range, ...]) -> Iterator[float]:
    """Values that the type has and the field may not."""
    ends = [int(end) for low, high in allowed for end in (low - 1, high + 1)]
    yield from (one for one in ends if field.bounds[0] <= one <= field.bounds[1] and not any(low <= one <= high for low, high in allowed))


def test_every_byte_of_a_record_is_missed_when_it_is_silent(said: list[Site]) -> None:
    for code, kind in EVENTS.items():
        for field in kind.fields:
            what = treatment(policy(), field)
            allowed = ranges(policy(), field) if what == "keep" else ()
            if what == "keep" and (
                any(one == field.bounds for one in allowed) or (field.meaning == "bitmask" and len(bits_of(allowed)) == field.width * 8)
            ):
                continue  # whatever its bytes are may stand
            if what != "keep":
                value: float = 7 if field.time != "ms_of_day" else 1001
            elif field.meaning == "bitmask":
                value = 1 << min(set(range(field.width * 8)) - bits_of(allowed))
            else:
                value = 1e30 if field.type == "float32" else next(beside(field, allowed), -1)
                if value == -1:
                    continue  # nor is there a value that it may not have
            record = Records.build(code=code, seconds=[520_000_000], sequence=[1], columns={field.name: [value]})
            assert who_noticed(said, tape(at("pump-events", record.to_base64()), era="2025")), (code, field.name)


# --- everything else that is said

LOGS: Json = {"events": [event(28, eventProperties={})]}
TOKEN = sign({"sub": "tfx-subject-000001"})


def rows() -> dict[str, Cassette]:
    """Broken in one way each."""
    head, body, proof = TOKEN.split(".")
    nested_link = "/login?ReturnUrl=%2Flogin%3FReturnUrl%3D%252Flogin%253FReturnUrl%253D%25252Flogin%25253FReturnUrl%25253D%2525252Flogin"
    return {
        "a header": tape(at("sso-page", got=(("X-Marisol", "1"),))),
        "a dropped header": tape(at("sso-page", got=(("Date", "Wed, 03 Jul 2024 20:30:00 GMT"),))),
        "a header's spelling": tape(at("sso-page", got=(("VARY", "Origin"),))),
        "a header twice": tape(at("sso-page", got=(("Vary", "Origin"), ("Vary", "Origin")))),
        "a wait": tape(at("sso-page", got=(("Retry-After", "49"),))),
        "a method's spelling": tape(low()),
        "too many members": tape(at("pumper", {f"unknown{number}": 0 for number in range(1, 18)})),
        "a cookie's age": tape(at("sso-page", got=(("Set-Cookie", "culture=tfx-cookie-000001; Max-Age=7200"),))),
        "a cookie's expiry": tape(
            at("sso-page", got=(("Set-Cookie", "culture=tfx-cookie-000001; Expires=Wed, 03 Jul 2024 20:30:00 GMT"),))
        ),
        "a cookie's attribute": tape(at("sso-page", got=(("Set-Cookie", "culture=tfx-cookie-000001; Marisol=1"),))),
        "not understood": tape(at("sso-page", got=(("Content-Type", "text/plain"),), raw=b"Marisol")),
        "packed": tape(at("sso-page", got=(HTML, ("Content-Encoding", "gzip")), raw=packed(policy().pages["portal"].encode()))),
        "a name": tape(name="Marisol/x"),
        "a telling name": tape(name="pump-10871624"),
        "a count": tape(rules={**counted((at("sso-page"),)), "header dropped": -1}),
        "a long count": tape(rules={**counted((at("sso-page"),)), "header dropped": 100_000}),
        "too few": tape(at("pump-logs", LOGS), rules={}),
        "too many": tape(rules={"date": 1}),
        "another era": tape(at("pump-logs", LOGS, query="eventIds=16"), era="2026-10"),
        "a form's spelling": tape(at("token", sent=(FORM,), body=b"grant_type=%61uthorization_code")),
        "a page sent": tape(at("login", sent=(HTML,), body=b"<p>")),
        "a key set": tape(at("jwks", {"keys": []})),
        "a page": tape(at("sso-page", got=(HTML,), raw=b"<p>Marisol</p>")),
        "JSON's spelling": tape(at("login", raw=b'{"status":  "SUCCESS"}')),
        "a leaf without a rule": tape(at("pumper", ["Marisol"])),
        "a list": tape(at("pumpers", {"devices": [{}] * 33})),
        "a container": tape(at("pumper", {"firstName": ["Marisol"]})),
        "a member": tape(at("pumper", {"Marisol": 1})),
        "a member among events": tape(at("pump-logs", {"Marisol": 1})),
        "no events": tape(at("pump-logs", ["Marisol"])),
        "an event that is none": tape(at("pump-logs", {"events": ["Marisol"]})),
        "a member of an event": tape(at("pump-logs", {"events": [event(28, note=1)]})),
        "properties of none": tape(at("pump-logs", {"events": [event(28, eventProperties="Marisol")]})),
        "a property": tape(at("pump-logs", {"events": [event(28, eventProperties={"note": 1})]})),
        "a payload": tape(at("pump-logs", {"events": [event(57, eventProperties={"spareA0": 65})]})),
        "an event's code": tape(at("pump-logs", {"events": [event(4000)]})),
        "an event's date": tape(at("pump-logs", {"events": [event(28, pumpDateTime="2026-11-18T10:00:00")]})),
        "an event's number": tape(at("pump-logs", {"events": [event(28, sequenceNumber=90_556_643)]})),
        "an event's group": tape(at("pump-logs", {"events": [event(28, sequenceGroup=7)]})),
        "a record": tape(at("pump-events", Records.build(code=28, seconds=[820_000_000], sequence=[1]).to_base64()), era="2025"),
        "no token": tape(at("token", {"id_token": "Marisol"})),
        "a token's spelling": tape(at("token", {"id_token": spaced()})),
        "a token of others": tape(at("token", {"id_token": f"{head}.{body}.{'A' if proof[0] != 'A' else 'B'}{proof[1:]}"})),
        "a fragment sent": tape(fragment()),
        "a link that is none": tape(at("login", {"redirectUrl": 7})),
        "a link's spelling": tape(at("login", {"redirectUrl": "/login?culture=%65n"})),
        "a link elsewhere": tape(at("sso-page", got=(("Location", "https://marisol.example/"),))),
        "a link nested deep": tape(at("sso-page", got=(("Location", nested_link),))),
        "a link nobody knows": tape(at("sso-page", got=(("Location", "https://sso.tandemdiabetes.com/marisol"),))),
        "a link with a fragment": tape(at("sso-page", got=(("Location", "https://sso.tandemdiabetes.com/#marisol"),))),
        "a key": tape(at("sso-page", query="marisol=1")),
        "a host": tape(Exchange(request=Request(method="GET", url="https://marisol.example/"), response=at("sso-page").response)),
        "an identifier in a path": tape(at("pumper", path={"pumperId": "Marisol"})),
        "a URL's spelling": tape(capital()),
        "a phrase": tape(at("sso-page", reason="Marisol")),
        "a status": tape(at("sso-page", status=299, reason="")),
        "a place to ignore": tape(at("sso-page", ignore=("query.marisol",))),
        "an amount": tape(
            at("pump-logs", {"events": [event(16, eventProperties={"bg": 977, "iob": 0.5, "targetBg": 110, "isf": 30})]}), values=SYNTHETIC
        ),
        "a turn": tape(at("pumper", {"firstName": "Given7"})),
        "a field's domain": tape(at("pump-logs", {"events": [event(280, eventProperties={"requestedNow": 70_000})]})),
        "a field that is zero": tape(at("pump-logs", {"events": [event(5, eventProperties={"param1": 77})]})),
        "an at_hash": tape(at("token", {"access_token": "tfx-access-token-000000000001", "id_token": sign({"at_hash": "A" * 22})})),
    }


def spaced() -> str:
    """Signed with the published key, with a blank between two claims."""
    from jwt.api_jws import PyJWS

    from tfx import signing

    return PyJWS().encode(b'{"sub": "tfx-subject-000001"}', signing._private_key(), algorithm="RS256", headers={"kid": signing.KID})


def packed(text: bytes) -> bytes:
    import gzip

    return gzip.compress(text, mtime=1_795_000_000)


def fragment() -> Exchange:
    exchange = at("sso-page")
    return exchange.replacing(request=replace(exchange.request, url=f"{exchange.request.url}#marisol"))


def low() -> Exchange:
    exchange = at("sso-page")
    return exchange.replacing(request=replace(exchange.request, method="get"))


def capital() -> Exchange:
    exchange = at("sso-page")
    return exchange.replacing(request=replace(exchange.request, url="https://SSO.tandemdiabetes.com/"))


ONLY_WHEN_CHANGING = {
    ("visitors.py", "Rewriter"),
    ("visitors.py", "Proofreader"),
    ("pumplogs.py", "_blanked"),
    ("pumplogs.py", "_codes"),
    ("pumplogs.py", "_property"),
    ("pumprecords.py", "_unknown"),
    ("pumprecords.py", "_kept"),
}
"""What only the rewriting visitor says."""
HANDED_ON = {("pumplogs.py", "_note"), ("visitors.py", "unknown"), ("pumplogs.py", "_settled")}


def every_site() -> Iterator[tuple[str, int, str, str]]:
    """(file, line, class, function) of every call that says something."""
    for file in sorted(HERE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        holders = [(one, "") for one in tree.body] + [
            (inner, one.name) for one in tree.body if isinstance(one, ast.ClassDef) for inner in one.body
        ]
        for holder, owner in holders:
            if not isinstance(holder, ast.FunctionDef):
                continue
            for node in ast.walk(holder):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAYING:
                    yield file.name, node.lineno, owner, holder.name


def test_everything_else_that_is_said_is_missed_when_it_is_silent(said: list[Site]) -> None:
    assert looked_at(tape()) == ()
    assert looked_at(tape(at("pump-logs", LOGS))) == ()
    assert claims_of(TOKEN)["sub"]
    alone: set[tuple[str, int]] = set()
    for why, broken in rows().items():
        noticed = who_noticed(said, broken)
        assert noticed, why
        places = {(file, line) for file, line, _ in noticed}
        alone |= places if len(places) == 1 else set()
    # What these say, the address or line that comes out otherwise says as well.
    twice = {("carriers.py", "_attribute"), ("urls.py", "address"), ("urls.py", "_link"), ("urls.py", "query"), ("walk.py", "walked")}
    spoken = {
        (file, line)
        for file, line, owner, name in every_site()
        if not ({(file, owner), (file, name)} & (ONLY_WHEN_CHANGING | HANDED_ON | twice))
    }
    assert json.dumps(sorted(spoken - alone)) == "[]"


def test_every_function_of_the_check_is_missed_when_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is put out of action, and what only it would have found passes."""
    from sanitizer import check as module

    broken = rows()
    silenced: dict[str, tuple[object, str]] = {
        "looked_at": ((), "a host"),
        "_told": (None, "too few"),
        "_codings": (None, "packed"),
        "_is_packed_by_tfx": (True, "packed"),
        "_is_file_name": (True, "a name"),
        "_is_count": (True, "a count"),
        "_head": (None, "a telling name"),
        "_spelling": ((), ""),
    }
    tree = ast.parse((HERE / "check.py").read_text(encoding="utf-8"))
    assert {one.name for one in tree.body if isinstance(one, ast.FunctionDef)} - {"check", "opened"} == set(silenced)
    for name, (answer, row) in silenced.items():
        if not row:
            continue  # of the bytes of a file: tests/unit/sanitizer/test_check.py, a file that says more than its cassette
        assert module.looked_at(broken[row])
        with monkeypatch.context() as patch:
            patch.setattr(module, name, lambda *_args, answer=answer, **_more: answer)
            assert module.looked_at(broken[row]) == (), name


def test_every_fact_of_the_head_is_missed_when_it_is_silent(said: list[Site]) -> None:
    heads: list[tuple[str, dict[str, object]]] = [
        ("name", {"name": "pump-10871624"}),
        ("era", {"era": "1999"}),
        ("region", {"region": "mars"}),
        ("clock", {"clock": datetime(2026, 11, 18, 20, 30, tzinfo=UTC)}),
        ("policy.version", {"policy": 0}),
        ("policy.values", {"values": "invented"}),
        ("rules", {"rules": {**MANY, "Marisol": 1}}),
    ]
    source = (HERE / "check.py").read_text(encoding="utf-8")
    facts = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict))
    assert isinstance(facts.value, ast.Dict)
    assert [key.value for key in facts.value.keys if isinstance(key, ast.Constant)] == [place for place, _ in heads]
    for place, head in heads:
        assert [finding.place for finding in looked_at(tape(**head))] == [place]
    assert said
    assert layout(28)
