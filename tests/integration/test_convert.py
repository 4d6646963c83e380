"""`tfx convert` and `tfx sanitize` over files of other tools, and vcrpy itself over ours."""

import json
from pathlib import Path

import pytest
import requests
import vcr
from sampling import sampled

from sanitizer.check import looked_at
from tfx import cli
from tfx.codec import decoded
from tfx.store import load

COMMITTED, SUFFIXES = ("session-us", "session-2025", "unhappy-us"), (".har", ".yaml", ".json")
CASSETTES = Path(__file__).resolve().parents[2] / "cassettes"
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
SECRETS = {
    "password": "Tr0ub4dor&3x",
    "email": "marisol.quint@posteo.example",
    "token": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "cookie": "s3ss10n-Quetzalcoatl",
    "name": "Quetzalcoatla",
    "serial": "77310458",
    "id": ID,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entry(method: str, url: str, answer: object, *, cookie: str = "", sent: object = None) -> dict[str, object]:
    text = json.dumps(answer)
    got = [
        {"name": "content-type", "value": "application/json"},
        {"name": "set-cookie", "value": f"idsrv={SECRETS['cookie']}; path=/\nb=2"},
    ]
    request: dict[str, object] = {
        "method": method,
        "url": url,
        "headers": [
            {"name": ":authority", "value": "source.tandemdiabetes.com"},
            {"name": "authorization", "value": f"Bearer {SECRETS['token']}"},
            {"name": "cookie", "value": cookie},
            {"name": "x-request", "value": SECRETS["name"]},
        ],
        "cookies": [{"name": "idsrv", "value": SECRETS["cookie"]}],
    }
    if sent is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
    return {
        "startedDateTime": "2026-11-18T20:30:00Z",
        "request": request,
        "response": {"status": 200, "statusText": "OK", "headers": got, "content": {"size": len(text), "text": text}},
    }


def browser() -> dict[str, object]:
    source, tdc = "https://source.tandemdiabetes.com/api/reports/bff", "https://tdcservices.tandemdiabetes.com/accounts/api/login"
    pumper = {
        "firstName": SECRETS["name"],
        "nickname": SECRETS["name"],
        "pumps": [{"serialNumber": SECRETS["serial"], "assignmentId": ID}],
    }
    entries = [
        entry("POST", tdc, {"status": "SUCCESS"}, sent={"username": SECRETS["email"], "password": SECRETS["password"]}),
        entry("GET", f"{source}/pumper/{ID}", pumper, cookie=f"idsrv={SECRETS['cookie']}"),
        entry("GET", f"{source}/pump-logs/{ID}?pumperId={ID}&eventCodes=16", {"events": [], "clockChanges": []}),
        entry("GET", f"https://stats.example.org/?who={SECRETS['email']}", {}),
    ]
    return {"log": {"version": "1.2", "creator": {"name": "browser", "version": "1"}, "entries": entries}}


def survivors(folder: Path) -> list[str]:
    text = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "browser.har")
    return [kind for kind, value in SECRETS.items() if value.lower().encode() in text.lower()]


@pytest.mark.parametrize(
    "arguments",
    [["sanitize", "browser.har", "--output", "out"], ["convert", "browser.har", "out/browser.json"]],
    ids=["sanitize", "convert"],
)
def test_no_secret_of_a_har_survives(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    (folder / "browser.har").write_text(json.dumps(browser()))
    Path("out").mkdir()
    assert cli.run(arguments) == 0
    assert {path.name for path in folder.iterdir()} == {"browser.har", "out"}
    made = load(folder / "out" / "browser.json")
    assert len(made.exchanges) == 3
    assert (made.era, made.region) == ("2026-10", "us")
    assert looked_at(made) == ()
    assert survivors(folder) == []
    said = capsys.readouterr().out
    assert f"browser.har {sum(made.rules.values())} places touched by the rules (" in said
    assert "browser.har #2 response body.nickname: " in said
    assert not [kind for kind, value in SECRETS.items() if value in said]


@pytest.mark.parametrize("target", ["out.har", "out.yaml", "out.yml"])
def test_from_tool_to_tool_is_through_the_sanitizer_too(folder: Path, target: str) -> None:
    (folder / "browser.har").write_text(json.dumps(browser()))
    assert cli.run(["convert", "browser.har", target]) == 0
    assert survivors(folder) == []


def test_a_refused_place_leaves_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = json.dumps(browser()).replace("application/json", "application/octet-stream")
    (folder / "browser.har").write_text(text)
    assert cli.run(["convert", "browser.har", "week.json"]) == 1
    assert cli.run(["sanitize", "browser.har", "--output", "out"]) == 1
    assert capsys.readouterr().err.count("has a content type no rule is for") == 2
    assert [path.name for path in folder.iterdir()] == ["browser.har"]


def test_the_report_is_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "browser.har").write_text(json.dumps(browser()))
    assert cli.run(["convert", "--json", "browser.har", "week.json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["exchanges"], report["elsewhere"], report["region"]) == (3, [4], "us")
    assert report["rules"] == load(folder / "week.json").rules


@pytest.mark.parametrize(
    ("name", "suffix"),
    sampled(
        *zip(COMMITTED, SUFFIXES, strict=True),
        rest=((name, suffix) for name in COMMITTED for suffix in SUFFIXES if COMMITTED.index(name) != SUFFIXES.index(suffix)),
    ),
)
def test_a_committed_cassette_comes_back(folder: Path, name: str, suffix: str) -> None:
    Path("between").mkdir()
    between = f"between/{name}{suffix}"
    assert cli.run(["convert", str(CASSETTES / f"{name}.json"), between]) == 0
    assert cli.run(["convert", between, f"{name}.json"]) == 0
    before, after = load(CASSETTES / f"{name}.json"), load(folder / f"{name}.json")
    assert (after.era, after.region, after.clock) == (before.era, before.region, before.clock)
    assert looked_at(after) == ()
    for one, other in zip(before.exchanges, after.exchanges, strict=True):
        assert (other.request.method, other.request.url, other.request.body) == (one.request.method, one.request.url, one.request.body)
        assert decoded(other.response.headers, other.response.body) == decoded(one.response.headers, one.response.body)
        kept, found = one.response.headers.without("content-encoding", "content-length"), other.response.headers.without("content-length")
        assert sorted(found) == sorted(kept)
        if suffix != ".yaml":
            assert other.request.headers == one.request.headers


@pytest.mark.parametrize(("suffix", "serializer"), [(".yaml", "yaml"), (".json", "json")])
def test_vcrpy_replays_what_is_written_for_it(folder: Path, suffix: str, serializer: str) -> None:
    cassette = load(CASSETTES / "session-us.json")
    assert cli.run(["convert", str(CASSETTES / "session-us.json"), f"week{suffix}"]) == 0
    with vcr.use_cassette(f"week{suffix}", record_mode="none", serializer=serializer) as playing, requests.Session() as client:
        for one in cassette.exchanges:
            sent = one.request
            answer = client.request(sent.method, sent.url, headers=dict(sent.headers), data=sent.body, allow_redirects=False, timeout=5)
            assert answer.status_code == one.response.status
            assert answer.content == decoded(one.response.headers, one.response.body)
            assert answer.headers.get("Location", "") == one.response.headers.get("Location")
        assert playing.all_played


WRONG = [
    (["convert", "nowhere.har", "out.json"], "nowhere.har does not exist; name a cassette, a vcrpy cassette or a HAR file"),
    (["convert", ".", "out.json"], ". is a folder; name a cassette"),
    (["convert", "empty.json", "out.har"], "empty.json is neither a cassette, nor vcrpy's (an object with version 1 and interactions)"),
    (
        ["sanitize", "list.json", "--output", "out"],
        "list.json is a list, as vcrpy wrote before version 1.0; migrate it with: python -m vcr.migration list.json",
    ),
    (["convert", "empty.har", "out.json"], "empty.har is not a HAR file: it has no log"),
    (["convert", "empty.yaml", "out.json"], "empty.yaml is not a vcrpy cassette of version 1"),
    (["convert", "trap.yaml", "out.json"], "trap.yaml names a type to be built"),
    (["convert", "empty.har", "out.txt"], "out.txt has no suffix tfx can write; use .json, .har, .yaml, .yml"),
    (["convert", "empty.har", "empty.json"], "empty.json exists, and converting replaces nothing"),
    (["convert", "browser.har", "My Week.json"], "a cassette's name is lower-case letters"),
    (["convert", "browser.har", "out.json", "--clock", "noon"], "--clock is not an instant"),
    (["convert", "browser.har", "out.json", "--era", "1999"], "Invalid value for '--era'"),
    (["convert", "CASSETTE", "out.har", "--era", "2025"], "says its era, region and clock itself"),
    (["convert", "cut.json", "out.har"], "cut.json is truncated"),
    (["sanitize", "browser.har"], "browser.har is a HAR file, and its cassette needs a place of its own"),
    (["sanitize", "browser.har", "--output", "taken"], "taken/browser.json exists, and importing browser.har replaces nothing"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_wrong_use_is_one_paragraph(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    for name, text in {
        "empty.json": "{}",
        "empty.har": "{}",
        "list.json": '[{"request": {}}]',
        "empty.yaml": "{}",
        "trap.yaml": "!!python/object/apply:os.system ['true']",
        "browser.har": json.dumps(browser()),
        "cut.json": '{"tfx_cassette": 1, "na',
    }.items():
        (folder / name).write_text(text)
    (folder / "taken").mkdir()
    (folder / "taken" / "browser.json").write_text("{}")
    before = sorted(folder.rglob("*"))
    assert cli.run([str(CASSETTES / "session-us.json") if one == "CASSETTE" else one for one in arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


def test_what_the_file_does_not_say_is_taken_from_the_options(folder: Path) -> None:
    page = {"log": {"entries": [{**entry("GET", "https://sso.tandemdiabetes.com/", {}), "startedDateTime": None}]}}
    (folder / "page.har").write_text(json.dumps(page))
    assert cli.run(["convert", "page.har", "page.json"]) == 2
    arguments = ["--era", "2026-07", "--region", "eu", "--clock", "2026-10-05T18:30:00Z"]
    assert cli.run(["convert", "page.har", "page.json", *arguments]) == 0
    made = load(folder / "page.json")
    assert (made.era, made.region, made.clock.isoformat()) == ("2026-07", "eu", "2024-07-01T18:30:00+00:00")
