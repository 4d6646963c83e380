"""Several foreign files on one line: each has its own outcome, what is refused is named by its number in it, and nothing else is lost."""

import json
from base64 import b64encode
from gzip import compress
from pathlib import Path

import pytest

from sanitizer.audit.findings import listed, without_advice
from sanitizer.files.outcomes import cassette_name
from sanitizer.files.targets import Targets
from sanitizer.formats import har as formats_har
from sanitizer.policy.request_labels import asked_for
from tfx import cli
from tfx.store import load

SOURCE = "https://source.tandemdiabetes.com"
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
LOGS = f"{SOURCE}/api/reports/bff/pump-logs/{ID}?eventCodes=16"
PUMPER = f"{SOURCE}/api/reports/bff/pumper/{ID}"
GZIP = b64encode(compress(compress(b"{}"))).decode()
ZSTD = b64encode(b"\x28\xb5\x2f\xfd\x04\x00marisol").decode()


def entry(url: str = LOGS, text: str = '{"events":[]}', coding: str = "", **changes: object) -> dict[str, object]:
    headers = [{"name": "content-type", "value": "application/json"}]
    answer = {
        "status": 200,
        "statusText": "OK",
        "headers": headers + [{"name": "content-encoding", "value": coding}] * bool(coding),
        "content": {"text": text, "encoding": "base64"} if text in (ZSTD, GZIP) else {"text": text},
        "redirectURL": "",
    }
    request = {"method": "GET", "url": url, "headers": []}
    return {"startedDateTime": "2026-10-05T18:30:00Z", "request": request, "response": answer | changes}


def har(path: str, *entries: object) -> None:
    Path(path).write_text(json.dumps({"log": {"entries": entries}}))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


PAGE = entry("https://stats.example.org/?who=Marisol")
LOGO = entry(f"{SOURCE}/static/marisol/logo.PNG?v=2")
PACKED = entry(text=ZSTD, coding="zstd")


def test_one_refused_file_keeps_no_other_from_being_tried(capsys: pytest.CaptureFixture[str]) -> None:
    har("bad.har", PAGE, entry(), PACKED)
    har("good.har", entry())
    har("marisol.har", entry(PUMPER, '{"firstName":"Marisol"}'), PACKED)
    Path("odd.har").write_text('{"log": 7}')
    assert cli.run(["sanitize", "bad.har", "good.har", "marisol.har", "odd.har", "--output", "out", "--report", "audit.json"]) == 1
    assert [path.name for path in Path("out").iterdir()] == ["import-1.json"]
    said = capsys.readouterr()
    refused = "#3 response body: a body has the content coding zstd, which tfx cannot undo; only deflate, gzip, x-gzip are understood"
    lines = said.err.splitlines()
    assert lines[0].startswith(f"tfx: bad.har {refused}; nothing was written. Leave out what cannot be understood with --leave-out-refused")
    assert lines[1].startswith("tfx: file 3 #2 response body: a body has the content coding zstd")
    assert lines[2].startswith("tfx: odd.har is not a HAR file")
    assert "marisol" not in (said.err + said.out).casefold()
    told = json.loads(Path("audit.json").read_text())["files"]
    assert [one["file"] for one in told] == ["bad.har", "import-1.json", "file 3", "file 4"]
    assert [bool(one["refused"]) for one in told] == [True, False, True, True]
    assert "marisol" not in Path("audit.json").read_text().casefold()


def test_a_number_of_thousands_of_digits_anywhere_ends_its_own_file_only(capsys: pytest.CaptureFixture[str]) -> None:
    digits = "9" * 6000
    whole = json.dumps({"log": {"entries": [entry()]}})
    Path("time.har").write_text(whole.replace('"startedDateTime"', f'"time": {digits}, "startedDateTime"'))
    Path("vcr.json").write_text(f'{{"interactions": [], "version": {digits}}}')
    hexadecimal = "0x" + "f" * 6000  # which YAML reads, however long
    Path("vcr.yaml").write_text(
        f"interactions:\n- request: {{uri: {hexadecimal}, method: GET}}\n  response: {{status: {{code: 200}}}}\nversion: 1\n"
    )
    har("web.har", entry())
    assert cli.run(["sanitize", "time.har", "vcr.json", "vcr.yaml", "web.har", "--json", "--output", "out"]) == 2
    said = capsys.readouterr()
    told = json.loads(said.out)["files"]
    assert [bool(one["refused"]) for one in told] == [True, True, True, False]
    assert all("number too long to read" in one["refused"] for one in told[:3])
    assert [path.name for path in Path("out").iterdir()] == ["web.json"]
    assert cli.run(["convert", "time.har", "x.json"]) == 2
    assert "time.har cannot be read as JSON: holds a number too long to read; save it again" in capsys.readouterr().err


def test_what_nobody_thought_of_ends_its_own_file_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_value: object, where: str, **_: object) -> object:
        if where == "bad.har":
            raise KeyError("Marisol")
        return read(_value, where)

    read = formats_har.read
    monkeypatch.setattr(formats_har, "read", broken)
    for name in ("bad.har", "web.har"):
        har(name, entry())
    assert cli.run(["sanitize", "bad.har", "web.har", "--output", "out"]) == 1
    assert [path.name for path in Path("out").iterdir()] == ["web.json"]
    assert cli.run(["sanitize", "bad.har", "--suggest"]) == 1
    said = capsys.readouterr()
    assert said.err.count("cannot be understood, so nothing was written") == 2
    assert "Marisol" not in said.err + said.out


def test_a_name_that_tfx_counted_up_itself_is_nobodys() -> None:
    born = entry(PUMPER, '{"dateOfBirth":"1971-03-19T00:00:00","lastName":"Import"}')
    har("marisol.har", born, entry())
    Path("out").mkdir()
    for number in (*range(1, 101), *range(102, 1971)):  # 1-0-1 and 1971: what a date begins with, and a part of it
        Path(f"out/import-{number}.json").touch()
    assert cli.run(["sanitize", "marisol.har", "--output", "out"]) == 0
    assert cli.run(["sanitize", "marisol.har", "--output", "out"]) == 0
    for number in (101, 1971):
        assert cli.run(["sanitize", f"out/import-{number}.json"]) == 0, "again"
        assert cli.run(["sanitize", "--check", f"out/import-{number}.json"]) == 0
    assert cli.run(["sanitize", "marisol.har", "--output", "out", "--name", "week-1971"]) == 1, "what somebody chooses is held against it"
    assert cli.run(["sanitize", "marisol.har", "--output", "out", "--name", "week-101"]) == 0, "a date has no initials"


def test_what_is_refused_can_be_left_out_by_name_and_number(capsys: pytest.CaptureFixture[str]) -> None:
    empty = entry(text="", content={"size": 9, "mimeType": "application/json"})
    har("web.har", PAGE, PACKED, LOGO, entry(), empty)
    assert cli.run(["sanitize", "web.har", "--output", "out", "--leave-out-refused", "--report", "audit.md"]) == 0
    assert len(load(Path("out/web.json")).exchanges) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("web.har #5 entry: refused (response.content has no text, and its size does not say that there was none")
    assert lines[1].startswith("web.har #2 exchange: refused (response body: a body has the content coding zstd")
    assert lines[1].endswith("); left out")
    assert lines[2] == (
        "web.har #3 request: a request that tfx has no rules for (GET source.tandemdiabetes.com/static/*/*.png); removed"
    ), "numbered as in the file"
    assert "web.har exchanges left out because they cannot be understood: 2" in lines
    assert "web.har requests left out, to other hosts or without an answer: 1 (#1)" in lines
    assert "\nExchanges left out because they cannot be understood: 2.\n" in Path("audit.md").read_text()
    har("nothing.har", PACKED)
    assert cli.run(["sanitize", "nothing.har", "--output", "out", "--leave-out-refused"]) == 1
    assert "not one exchange can be understood" in capsys.readouterr().err


def test_an_empty_body_has_no_coding() -> None:
    har("web.har", entry(), *(entry(PUMPER, "", coding, status=304) for coding in ("br", "zstd", "gzip")))
    assert cli.run(["sanitize", "web.har", "--output", "out"]) == 0
    assert [one.response.status for one in load(Path("out/web.json")).exchanges] == [200, 304, 304, 304]


def test_what_a_file_does_not_tell_is_said_to_either_command(capsys: pytest.CaptureFixture[str]) -> None:
    har("web.har", entry(PUMPER, "{}"))
    assert cli.run(["sanitize", "web.har", "--output", "out"]) == 2
    assert capsys.readouterr().err.endswith("which state of the API it is of; say it with --era (2025, 2026-07, 2026-10).\n")
    assert cli.run(["sanitize", "web.har", "--output", "out", "--era", "2026-07", "--region", "us"]) == 0
    assert load(Path("out/web.json")).era == "2026-07"
    har("logs.har", entry())
    assert cli.run(["sanitize", "logs.har", "--output", "out", "--era", "2026-07"]) == 2
    assert "shows the API of 2026-10, not of 2026-07; leave --era out" in capsys.readouterr().err


def test_a_file_s_name_becomes_a_cassette_s_only_where_it_tells_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["source.tandemdiabetes.com_Archive [26-11-18 21-30-00].HAR", "Chloë-pump.har", "12144569.har", "Session_US.har"]
    for name in names:
        har(name, entry())
    assert cli.run(["sanitize", names[0], "--suggest"]) == 0, "which needs no name at all"
    assert cli.run(["sanitize", *names, "--output", "out"]) == 0
    assert cli.run(["sanitize", names[0], "--output", "out", "--name", "week"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [*(f"import-{n}.json" for n in (1, 2, 3)), "session-us.json", "week.json"]
    assert cli.run(["sanitize", "--check", "out"]) == 0
    assert "exists, and importing" not in capsys.readouterr().err
    assert cli.run(["sanitize", names[3], "--output", "out"]) == 2, "nothing is replaced"
    for stem, made in (("My Week", "import-4"), ("new week", "new-week"), ("week" * 30, "import-4"), ("2024-2025", "import-4")):
        assert cassette_name(Path(f"{stem}.har"), Path("out"), Targets()) == made


def test_a_folder_that_tells_of_somebody_is_refused_like_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    har("web.har", entry(), entry(PUMPER, '{"firstName":"Marisol"}'))
    assert cli.run(["sanitize", "web.har", "--output", "people/marisol"]) == 1
    assert "the folder's name holds a part of a seen value (name)" in capsys.readouterr().err
    assert not Path("people").exists()


SHOWN = [
    ("GET", f"{SOURCE}/", "GET source.tandemdiabetes.com/", "no path"),
    ("get", f"{SOURCE}/api/reports/bff/marisol?x=1", "GET source.tandemdiabetes.com/api/reports/bff/*", "a word of nobody's vocabulary"),
    ("MARISOL", f"{SOURCE}/main.4f2a.js", "* source.tandemdiabetes.com/*.js", "a method that is none"),
    ("GET", "https://marisol.example/a/b", "GET another host/*/*", "another host"),
    ("GET", "https://[marisol", "an address that is not a URL", "no URL"),
]


def test_a_request_is_named_by_known_words() -> None:
    for method, url, shown, why in SHOWN:
        assert asked_for(method, url) == shown, why


def test_what_would_be_done_is_explained_without_writing(capsys: pytest.CaptureFixture[str]) -> None:
    har("web.har", entry(), entry(PUMPER, '{"firstName":"Marisol","lowGlucoseThreshold":80}'))
    assert cli.run(["sanitize", "--explain", "web.har"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"web.har given: 1", "         1 response body.firstName", "         1 response body.lowGlucoseThreshold"} <= set(lines)
    assert lines[-1] == "nothing was written: a HAR or vcrpy file needs --output"
    assert [path.name for path in Path().iterdir()] == ["web.har"]


ODD_BODIES = [
    (entry(text=GZIP, coding="gzip"), "is packed once more with gzip", "gzip within gzip"),
    (
        entry(headers=[{"name": "content-type", "value": "application/json; charset=utf-16"}]),
        "says that it is in another charset",
        "UTF-16",
    ),
    (entry(headers=[{"name": "content-type", "value": "application/json; charset=utf-8; x=y"}]), "says more of itself than a type", "x"),
    (entry(headers=[{"name": "content-type", "value": "application/json charset=utf-8"}]), "says more of itself than a type", "no mark"),
    (entry(headers=[{"name": "content-type", "value": "application/json"}] * 2), "has two content types", "two lines"),
]


def test_a_body_that_cannot_be_understood_is_called_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for odd, said, why in ODD_BODIES:
        har("web.har", entry(), odd)
        assert cli.run(["sanitize", "web.har", "--output", "out"]) == 1
        assert f"web.har #2 response body {said}" in capsys.readouterr().err, why


def test_who_is_left_out_is_told_by_number(capsys: pytest.CaptureFixture[str]) -> None:
    har("web.har", PAGE, entry(), PAGE, PAGE, entry(status=0))
    assert cli.run(["sanitize", "web.har", "--output", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["elsewhere"] == [1, 3, 4, 5]
    assert listed((1, 3, 4, 5)) == "4 (#1, #3 to #5)"


ADVICE = [
    ("#1 x holds a y; nothing was written. Record that exchange again", "#1 x holds a y"),
    ("a compressed body is damaged; record that exchange again", "a compressed body is damaged"),
    ("only gzip is understood: ask the service for one of them", "only gzip is understood"),
    ("nothing says what they are: refused", "nothing says what they are"),
]


def test_advice_for_a_recording_is_no_advice_for_an_import() -> None:
    for text, left in ADVICE:
        assert without_advice(text) == left
