"""Direct calls into recorder and sanitizer that end in an error, with a canary in their arguments. See canary_calls.py."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from canary import EMAIL, NAME, PASSWORD, SERIAL, UUID, Bench
from canary_calls import CASSETTE, DAY, NOW, Call
from leaks import exchange

from recorder import checkpoint, credentials, job, walk
from recorder.checkpoint import Checkpoint, Errand
from recorder.credentials import Credentials
from recorder.order import Order
from recorder.program import Ran
from sanitizer import scrub
from sanitizer.files import options
from sanitizer.formats import har, vcr
from sanitizer.formats.recording import capture_of
from sanitizer.formats.safe_yaml import safe_yaml
from sanitizer.places import contents as bodies
from sanitizer.policy import policy, user_rules
from sanitizer.policy.suggest import save
from tfx import store
from tfx.capture import Capture, Seen
from tfx.exchange import Exchange, Headers, Terms
from tfx.stored import Stored

PERSON = Credentials(email=EMAIL, password=PASSWORD)
ERRAND = Errand(region="us", era="2026-10", since=DAY, until=DAY, pump=SERIAL)
JSON = "application/json"
LOGS = f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{UUID}?pumperId={UUID}"
OLD = f"https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/{UUID}/{SERIAL}?minDate=2026-11-18&maxDate=2026-11-18"
SPAN = "&startDate=2026-11-18T00%3A00%3A00Z&endDate=2026-11-18T23%3A59%3A59Z"
PUMPER = f"https://source.tandemdiabetes.com/api/reports/bff/pumper/{UUID}"


# --- recorder


def begun(bench: Bench, at: Path | None = None) -> Path:
    with bench.patch.context() as patch:
        patch.setattr("recorder.checkpoint.SCRYPT_COST", 2)
        path = at or checkpoint.path_of("week", Path("cassettes"))
        made = Checkpoint.begin(path, PERSON, ERRAND, NOW)
        for _ in range(2):
            made.append(exchange(PUMPER, answer=json.dumps({"firstName": NAME}).encode()))
        made.close()
    return path


def resumed(bench: Bench, path: Path, now: datetime = NOW, errand: Errand = ERRAND) -> object:
    with bench.patch.context() as patch:
        patch.setattr("recorder.checkpoint.SCRYPT_COST", 2)
        return Checkpoint.resume(path, PERSON, lambda _: errand, now)


def damaged_in_the_middle(bench: Bench) -> object:
    path = begun(bench)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    return resumed(bench, path)


def for_two_folders(bench: Bench) -> object:
    for folder in ("a", "b"):
        begun(bench, checkpoint.path_of("week", Path(folder)))
    return checkpoint.found("week", Path("cassettes"))


def within_git(bench: Bench) -> object:
    Path(".git").mkdir()
    return begun(bench, Path("week.unfinished").absolute())


def taken(bench: Bench) -> object:
    path = begun(bench)
    with bench.patch.context() as patch:
        patch.setattr("recorder.checkpoint.SCRYPT_COST", 2)
        held, _, _ = Checkpoint.resume(path, PERSON, lambda _: ERRAND, NOW)
        try:
            return resumed(bench, path)
        finally:
            held.close()


def unwritable(bench: Bench) -> object:
    return begun(bench, bench.folder / "work" / bench.plant("file", PASSWORD) / "week.unfinished")


def kept(bench: Bench) -> object:
    """What was fetched waits, and the error says so."""
    path = begun(bench)
    with bench.patch.context() as patch:
        patch.setattr("recorder.checkpoint.SCRYPT_COST", 2)
        found, errand, before = Checkpoint.resume(path, PERSON, lambda _: ERRAND, NOW)
        patch.setattr("recorder.job.record", lambda *_, **__: Capture(exchanges=before, era="none", region=NAME, clock=NOW))
        return job.with_checkpoint(found, before, PERSON, errand, scrubbed, resuming="tfx record week --resume")


def not_utf8(bench: Bench) -> object:
    return credentials.read(Path(bench.plant("me.toml", b"[tandem]\npassword='" + PASSWORD.encode() + b"\xff'")))


def pump(**changes: str) -> walk.Pump:
    told = {"key": UUID, "serial": SERIAL, "model": "Tandem Mobi", "latest": "", "assignment": UUID} | changes
    names = walk.Pump.__dataclass_fields__
    return walk.Pump(**{name: told.get(name, "") for name in names})


def ran(*exchanges: Exchange, unrecorded: int = 0) -> Ran:
    return Ran(exit_code=0, exchanges=exchanges, unrecorded={"urllib3": unrecorded} if unrecorded else {})


RECORDER: tuple[Call, ...] = (
    damaged_in_the_middle,
    for_two_folders,
    within_git,
    taken,
    unwritable,
    kept,
    not_utf8,
    lambda b: resumed(b, begun(b), now=datetime(2020, 1, 1, tzinfo=UTC)),
    lambda b: resumed(b, begun(b), errand=replace(ERRAND, pump=SERIAL[::-1])),
    lambda _: checkpoint.found("week", Path("cassettes")),
    lambda b: resumed(b, b.folder / "nothing"),
    lambda _: credentials.read(Path("nowhere.toml")),
    lambda _: walk.chosen((pump(),)),
    lambda _: walk.chosen((pump(latest="2026-11-18"),), SERIAL[::-1]),
    lambda _: job.taped(Order(name="week"), ran(), NOW),
    lambda _: job.taped(Order(name="week"), ran(exchange(PUMPER), unrecorded=1), NOW),
    lambda _: job.taped(Order(name="week", era="2025"), ran(exchange(LOGS + SPAN, answer=json.dumps({"events": NAME}).encode())), NOW),
    lambda _: job.taped(Order(name="week"), ran(exchange(PUMPER, media=f"text/{NAME}", answer=PASSWORD.encode())), NOW),
    lambda b: job.run(Order(name="week", suggest=b.folder / "work" / b.plant("own.toml", PASSWORD))),
    lambda b: save(b.folder / "work" / b.plant("own.toml", PASSWORD), "claims.nick = 1"),
    lambda _: job.taped(Order(name="week"), ran(exchange(PUMPER), exchange(PUMPER.replace("source.", "source.eu."))), NOW),
)


# --- sanitizer


def capture(*exchanges: Exchange, seen: tuple[Seen, ...] = (), era: str = "2026-10", region: str = "us") -> Capture:
    return Capture(exchanges=exchanges, era=era, region=region, clock=NOW, seen=seen)


def scrubbed(found: Capture, name: str = "x") -> job.Done:
    return job.Done(lines=(repr(scrub.scrub(found, name=name)),), report={})


def refused(url: str = PUMPER, **how: object) -> Call:
    return lambda _: scrubbed(capture(exchange(url, **how)))  # type: ignore[arg-type]  # as `exchange` takes them


def not_understood(bench: Bench) -> object:
    def broken(*_: object) -> object:
        raise ValueError(PASSWORD)

    with bench.patch.context() as patch:
        patch.setattr("sanitizer.scrub.walked", broken)
        return scrubbed(capture(exchange(PUMPER)))


def not_searched(bench: Bench) -> object:
    def broken(*_: object, **__: object) -> object:
        raise ValueError(PASSWORD)

    with bench.patch.context() as patch:
        patch.setattr("sanitizer.scrub.search", broken)
        return scrubbed(capture(exchange(PUMPER)))


def left_behind(bench: Bench) -> object:
    """A rule that does nothing: only the second look is left."""
    with bench.patch.context() as patch:
        patch.setattr("sanitizer.scrub.walked", lambda _hand, exchanges: exchanges)
        return scrubbed(capture(exchange(PUMPER, answer=json.dumps({"firstName": NAME}).encode()), seen=(Seen(kind="name", value=NAME),)))


def synthetic_back(_: Bench) -> object:
    return scrub.again(replace(store.loads(CASSETTE, "x"), values="synthetic"), values="keep")


def alias(text: str) -> Call:
    return lambda _: safe_yaml(text.encode(), "x.yaml")


def policy_with(table: dict[str, object], where: str = "x.toml") -> object:
    import tomllib

    whole = tomllib.loads((Path(policy.__file__).parents[1] / "tandem-source.toml").read_text())
    whole.update(table)
    return policy.compiled(whole, "", where)


def opened(content: dict[str, object], era: str = "") -> object:
    """A HAR file of one answer with that content."""
    got = {"status": 200, "headers": [{"name": "Content-Type", "value": JSON}], "content": content}
    entry = {"request": {"method": "GET", "url": LOGS, "headers": []}, "response": got}
    return capture_of(har.read({"log": {"entries": [entry]}}, "x.har"), "x.har", era=era)


def stored(*headers: tuple[str, str]) -> Stored:
    return Stored(status=200, reason="OK", headers=Headers(headers), node={"json": {NAME: PASSWORD}}, is_plain=True)


def not_text(_: Bench) -> object:
    cassette = store.loads(CASSETTE, "x")
    body = b"\xff" + PASSWORD.encode()
    return vcr.write(replace(cassette, exchanges=(exchange(PUMPER, media="application/octet-stream", answer=body),)), "json")


def ignoring_no_place(_: Bench) -> object:
    cassette = store.loads(CASSETTE, "x")
    one = Exchange(request=cassette.exchanges[0].request, response=cassette.exchanges[0].response, terms=Terms(ignore=(NAME,)))
    return scrub.again(replace(cassette, exchanges=(one,)))


SANITIZER: tuple[Call, ...] = (
    lambda _: scrubbed(capture(region=NAME)),
    lambda _: scrubbed(capture(exchange(PUMPER), seen=(Seen(kind="name", value=NAME),)), name=NAME.lower()),
    not_understood,
    not_searched,
    left_behind,
    ignoring_no_place,
    synthetic_back,
    refused(got=(("Content-Encoding", NAME),)),
    refused(got=(("Content-Encoding", "gzip"),), answer=PASSWORD.encode()),
    refused(media=f"{JSON}; note={NAME}"),
    refused(media=f"{JSON}; charset={NAME}"),
    refused(media=f"text/{NAME}", answer=PASSWORD.encode()),
    refused(answer=f'{{"{NAME}": "{PASSWORD}"'.encode()),
    refused(answer=f'{{"{NAME}": {"9" * 5000}}}'.encode()),
    refused(status=99_999),
    refused(
        "https://tdcservices.tandemdiabetes.com/accounts/api/connect/token",
        method="POST",
        sent=(("Content-Type", "application/x-www-form-urlencoded"),),
        body=f"a={NAME}\xe9".encode(),
    ),
    lambda _: bodies.content(Headers([("Content-Type", JSON), ("Content-Encoding", NAME)]), PASSWORD.encode(), "#1"),
    lambda _: bodies.stored_content(stored(("Content-Type", JSON), ("Content-Encoding", NAME)), "#1"),
    lambda _: options.Origin.parse(era=None, region=None, clock=NAME, leaves_out=False),
    lambda b: user_rules.rules_of(Path(b.plant("own.toml", b"claims.nick = '" + NAME.encode() + b"\xff'"))),
    lambda _: user_rules.rules_of(Path("nowhere.toml")),
    lambda _: user_rules.extended(f'[endpoints.nowhere.response]\n"nick" = "blank" # {NAME}'),
    lambda _: user_rules.extended(f'[endpoints.jwks.response]\n"nick" = "blank" # {NAME}'),
    lambda _: user_rules.extended(f'[endpoints.pumper.response]\n"firstName" = "blank" # {NAME}'),
    lambda _: user_rules.extended(f'[endpoints.pumper.response]\n"nick" = 7 # {NAME}'),
    lambda _: user_rules.extended(f'[endpoints.pumper.response]\n"nick" = "nothing" # {NAME}'),
    lambda _: user_rules.extended(f'[endpoints.pumper.response]\n"nick" = "keep:nothing" # {NAME}'),
    lambda _: user_rules.extended(f'claims.nick = "{PASSWORD}'),
    lambda _: policy_with({"bounds": {"x": [1, 2, 3]}}),
    lambda _: policy_with({"endpoints": {}}),
    lambda _: policy_with({"errors": {f"nicks[].{NAME}": "blank"}}, policy.FILE),
    alias("a: *gone\nb: correct-horse-Zq7"),
    alias("a: " + "[" * 500 + PASSWORD),
    lambda _: har.read({NAME: PASSWORD}, "x.har"),
    lambda _: vcr.read({NAME: PASSWORD}, "x.yaml"),
    lambda _: opened({"size": int(SERIAL)}),
    lambda _: opened({"text": json.dumps({"events": [], "nick": NAME})}, era="2025"),
    not_text,
)
