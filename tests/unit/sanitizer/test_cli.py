"""`tfx sanitize` on files: what it says, what it writes, how it exits."""

# ruff: noqa: E501  # one row of a table is one line, however wide

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from sanitizer.files.input_files import foreign
from sanitizer.run import REMOVED
from sanitizer.scrub import Scrubbed
from tfx import cli
from tfx.cassette import Cassette
from tfx.exchange import Exchange, Headers
from tfx.store import load, save

Done = Callable[..., Scrubbed]


@pytest.fixture(scope="module")
def clean(scrubbed: Done) -> Cassette:
    return replace(scrubbed("2025").cassette, name="week")


@pytest.fixture
def folder(tmp_path: Path, clean: Cassette, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(clean, tmp_path / "cassettes")
    return tmp_path / "cassettes"


def dirty(cassette: Cassette) -> Cassette:
    first = cassette.exchanges[0]
    request = replace(first.request, headers=Headers([*first.request.headers, ("X-Me", "Marisol")]))
    return replace(cassette, exchanges=(Exchange(request=request, response=first.response), *cassette.exchanges[1:]))


def test_a_clean_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sanitize", "--check", "cassettes"]) == 0
    assert capsys.readouterr().out == "1 cassette clean\n"


def test_some_files_are_passed_by_their_name_and_that_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text("# Recorded from the stand-in")
    (folder / ".gitkeep").touch()
    assert cli.run(["sanitize", "--check", "cassettes"]) == 0
    said = "cassettes/.gitkeep not read, because of its name\ncassettes/README.md not read, because of its name\n"
    assert capsys.readouterr().out == said + "1 cassette clean\n"
    assert cli.run(["sanitize", "--check", "cassettes/README.md"]) == 0, "as pre-commit hands it over"
    (folder / "week.json").unlink()
    capsys.readouterr()
    for arguments in (["cassettes"], ["cassettes", "cassettes/README.md"]):
        assert cli.run(["sanitize", "--check", *arguments]) == 2, "a folder without a cassette is a wrong one"
        assert capsys.readouterr().err == f"tfx: there is no cassette in {', '.join(arguments)}; record one with: tfx record NAME.\n"


def test_a_dirty_one_is_named_by_place_and_never_by_value(folder: Path, clean: Cassette, capsys: pytest.CaptureFixture[str]) -> None:
    save(dirty(clean), folder)
    before = (folder / "week.json").read_bytes()
    assert cli.run(["sanitize", "--check", "cassettes/week.json"]) == 1
    assert capsys.readouterr().out == (
        "cassettes/week.json #1 request header.<another name 1>: a header without a rule\n1 of 1 cassette not clean\n"
    )
    assert (folder / "week.json").read_bytes() == before, "a check writes nothing"


def test_a_dirty_one_is_cleaned_in_place(folder: Path, clean: Cassette, capsys: pytest.CaptureFixture[str]) -> None:
    save(dirty(clean), folder)
    assert cli.run(["sanitize", "cassettes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "cassettes/week.json -> cassettes/week.json"
    assert load(folder / "week.json") == clean
    assert cli.run(["sanitize", "cassettes"]) == 0
    assert capsys.readouterr().out == "1 cassette clean already, nothing written\n"


def test_or_somewhere_else(folder: Path, tmp_path: Path) -> None:
    assert cli.run(["sanitize", "--output", "other", "cassettes"]) == 0
    assert (tmp_path / "other" / "week.json").read_bytes() == (folder / "week.json").read_bytes()


def test_explain_says_which_rule_touched_which_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sanitize", "--explain", "cassettes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "cassettes/week.json serial: 5" in lines
    assert "         2 response body[].serialNumber" in lines


def test_the_report_is_json(folder: Path, clean: Cassette, capsys: pytest.CaptureFixture[str]) -> None:
    save(dirty(clean), folder)
    assert cli.run(["sanitize", "--check", "--json", "cassettes"]) == 1
    (report,) = json.loads(capsys.readouterr().out)["files"]
    assert report["path"] == "cassettes/week.json"
    assert report["findings"] == [
        {
            "exchange": 1,
            "place": "request header.<another name 1>",
            "kind": "a header without a rule",
        }
    ]


FOREIGN = [
    ("old.json", '{"interactions": [], "version": 1}', "a vcrpy cassette, not a cassette"),
    ("old.yaml", "interactions: []", "a vcrpy cassette, not a cassette"),
    ("page.har", '{"log": {}}', "a HAR file, not a cassette"),
    ("X.HAR", '{"log": {}}', "a HAR file, not a cassette"),
    ("raw", '{"log": {}}', "a HAR file, not a cassette"),
    ("notes.txt", "she called at ten", "a file whose name does not end in .json, not a cassette"),
    ("keep-week.json.gz", "", "an archive, which no check looks into, not a cassette"),
    (".gitkeep", "Marisol", "a file whose name does not end in .json, not a cassette"),
    ("week.json.orig", "{}", "a leftover of an editor or merge, not a cassette"),
    ("week.json~", "{}", "a leftover of an editor or merge, not a cassette"),
    ("list.json", '[{"request": {}}]', "a vcrpy cassette, not a cassette"),
    ("cut.json", '{"tfx_cassette": 1, "na', "is truncated: it ends in the middle; restore it with: git checkout -- cassettes/cut.json"),
    (
        "empty.json",
        "{}",
        "is not a tfx cassette; of a HAR file (an object with log) or vcrpy cassette (one with version and interactions) one is made with: tfx sanitize cassettes/empty.json --output cassettes",
    ),
]


@pytest.mark.parametrize(("name", "text", "kind"), FOREIGN)
def test_a_folder_with_anything_else_in_it_is_not_clean(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, kind: str
) -> None:
    (folder / name).write_text(text)
    assert cli.run(["sanitize", "--check", "cassettes"]) == 1
    assert f"cassettes/{name} file: {kind}" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("name", "text", "_kind"), FOREIGN[:3])
def test_what_is_imported_never_lands_beside_itself(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, _kind: str
) -> None:
    (folder / name).write_text(text)
    assert cli.run(["sanitize", f"cassettes/{name}"]) == 2
    assert f"name one with: tfx sanitize cassettes/{name} --output cassettes" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "text", "_kind"), FOREIGN[8:10])
def test_a_leftover_is_not_imported(folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, _kind: str) -> None:
    (folder / name).write_text(text)
    assert cli.run(["sanitize", "--output", "other", f"cassettes/{name}"]) == 2
    assert "is a leftover of an editor or merge, not a recording" in capsys.readouterr().err


def test_a_file_under_another_name_is_not_clean(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "week.json").rename(folder / "marisol.json")
    assert cli.run(["sanitize", "--check", "cassettes"]) == 1
    assert (
        "cassettes/marisol.json name: not the name of the file; use that one with: tfx sanitize cassettes/marisol.json"
        in capsys.readouterr().out
    )
    (folder / "marisol.json").rename(folder / "My Week.json")
    assert cli.run(["sanitize", "--check", "cassettes"]) == 1
    told = "cassettes/My Week.json name: not the name of the file; rename the file, for no cassette can have the name it has"
    assert told in capsys.readouterr().out


WRONG = [
    (["sanitize", "nowhere"], "tfx: nowhere does not exist; name a cassette or a folder of cassettes.\n"),
    (
        ["sanitize", "--check", "--output", "x", "--suggest", "cassettes"],
        "tfx: --check writes no cassette, so it excludes --output or --suggest; leave them out.\n",
    ),
    (
        ["sanitize", "--suggest", "--output", "x", "cassettes"],
        "tfx: --suggest writes no cassette, so it excludes --output; leave it out.\n",
    ),
    (
        ["sanitize", "--name", "x", "cassettes"],
        "tfx: --name is for one HAR file or vcrpy cassette; a cassette is called what its file is called.\n",
    ),
    (
        ["sanitize", "--report", "r.txt", "cassettes"],
        "tfx: the report r.txt would be of no form tfx writes; name a .json file, or .md for Markdown.\n",
    ),
    (["sanitize", "void"], "tfx: there is no cassette in void; record one with: tfx record NAME.\n"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_wrong_use(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    (tmp_path / "void").mkdir()
    assert cli.run(arguments) == 2
    assert capsys.readouterr().err == said


def test_a_file_nobody_can_read_does_not_keep_the_others_from_being_looked_at(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.json").write_text('{"tfx_cassette": 1, "name": 7}')
    (folder / "b.json").write_bytes(b"\xff\xfe")
    (folder / "c.json").write_text("[" * 100_000)
    assert cli.run(["sanitize", "--check", "cassettes"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [*(f"cassettes/{name}.json" for name in "abc"), "3"]
    assert lines[-1] == "3 of 4 cassettes not clean"


def test_a_renamed_one_takes_its_new_name_over(folder: Path) -> None:
    (folder / "week.json").rename(folder / "spring.json")
    assert cli.run(["sanitize", "cassettes/spring.json"]) == 0
    assert load(folder / "spring.json").name == "spring"
    assert cli.run(["sanitize", "--check", "cassettes"]) == 0


def test_an_edit_by_hand_is_looked_over_and_sealed(folder: Path) -> None:
    path = folder / "week.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(' {\n   "request"', ' {\n   "replay": {"repeat": "last", "ignore": []},\n   "request"', 1), encoding="utf-8"
    )
    assert cli.run(["sanitize", "cassettes/week.json"]) == 2, "without being told so it is not taken"
    assert cli.run(["sanitize", "--edited", "cassettes/week.json"]) == 0
    assert load(path).exchanges[0].terms.repeat == "last"
    assert cli.run(["sanitize", "--check", "cassettes"]) == 0


def test_who_puts_an_exchange_in_by_hand_need_not_count(folder: Path) -> None:
    path = folder / "week.json"
    before = load(path).exchanges
    written = json.loads(path.read_text("utf-8"))
    written["exchanges"].insert(0, written["exchanges"][0])
    path.write_text(json.dumps(written, indent=1), "utf-8")
    assert cli.run(["sanitize", "--edited", "cassettes/week.json"]) == 0
    assert load(path).exchanges == (before[0], *before)
    assert json.loads(path.read_text("utf-8"))["counts"]["exchanges"] == len(before) + 1


FOLDERS = [
    ("2025/10", True, "a month"),
    ("2026/session-2026-10", True, "a year, and a month of it"),
    ("v1/us/25", True, "few digits"),
    ("1987/03/14", False, "a date of birth"),
    ("1987/03-14", False, "the same"),
    ("11/37/48", False, "half a serial number"),
    ("pump-1137/4829", False, "a serial number"),
    ("1987-03-14/us", False, "a folder alone"),
]


def test_names_of_folders_are_looked_at_as_names_of_files(folder: Path, clean: Cassette, capsys: pytest.CaptureFixture[str]) -> None:
    for number, (inner, is_clean, why) in enumerate(FOLDERS):
        top = folder.parent / f"tree{number}"
        path = top / inner
        save(replace(clean, name=path.name), path.parent)
        assert cli.run(["sanitize", "--check", str(top)]) == (0 if is_clean else 1), why
        said = capsys.readouterr().out
        assert ("name: a long number or a date, with the names" in said) == (not is_clean and why != "a folder alone"), why


def test_what_somebody_counted_by_hand_is_counted_anew(folder: Path, clean: Cassette) -> None:
    path = folder / "week.json"
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"rules": {', b'"rules": {"marisol": 3, ', 1).replace(b'"date": ', b'"date": 1', 1))
    assert cli.run(["sanitize", "--edited", "cassettes/week.json"]) == 0
    assert load(path).rules == {word: number for word, number in clean.rules.items() if word not in REMOVED}


def test_what_was_removed_is_not_counted_by_hand(folder: Path, clean: Cassette) -> None:
    path = save(replace(clean, rules={**clean.rules, "header dropped": 64}), folder)
    before = path.read_bytes()
    assert cli.run(["sanitize", "--edited", "cassettes/week.json"]) == 0
    assert path.read_bytes() == before, "nobody changed it"
    path.write_bytes(before.replace(b'"header dropped": 64', b'"header dropped": 11374'))
    assert cli.run(["sanitize", "--edited", "cassettes/week.json"]) == 0
    assert load(path) == replace(clean, rules={word: number for word, number in clean.rules.items() if word != "header dropped"})
    save(replace(clean, rules={**clean.rules, "header dropped": 113748}), folder)
    assert cli.run(["sanitize", "--check", "cassettes"]) == 1, "six digits"
    assert cli.run(["sanitize", "cassettes"]) == 0
    assert load(path).rules["header dropped"] == 99_999


def test_only_what_is_clean_is_sealed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "week-10871624.json"
    edited = (folder / "week.json").read_text(encoding="utf-8").replace('"week"', '"week-10871624"', 1)
    path.write_text(edited, encoding="utf-8")
    assert cli.run(["sanitize", "--edited", "cassettes/week-10871624.json"]) == 1
    out, err = capsys.readouterr()
    assert "name: a long number" in out
    assert "would not be clean for --check, so nothing was written" in err
    assert path.read_text(encoding="utf-8") == edited


def test_an_edit_that_brings_somebody_in_is_taken_out_again(folder: Path) -> None:
    path = folder / "week.json"
    text = path.read_text(encoding="utf-8")
    assert "Given1" in text
    path.write_text(text.replace("Given1", "Marisol"), encoding="utf-8")
    cli.run(["sanitize", "--edited", "cassettes/week.json"])
    assert cli.run(["sanitize", "--check", "cassettes"]) == 0
    assert "Marisol" not in path.read_text(encoding="utf-8")


def test_values_can_be_made_synthetic_later_and_never_kept_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sanitize", "--values", "synthetic", "cassettes"]) == 0
    assert capsys.readouterr().out == "cassettes/week.json -> cassettes/week.json\n"
    assert load(folder / "week.json").values == "synthetic"
    assert cli.run(["sanitize", "cassettes"]) == 0
    assert cli.run(["sanitize", "--check", "cassettes"]) == 0
    assert capsys.readouterr().out == "1 cassette clean already, nothing written\n1 cassette clean\n"
    assert cli.run(["show", "cassettes/week.json"]) == 0
    assert "therapy values: synthetic" in capsys.readouterr().out
    assert cli.run(["sanitize", "--values", "keep", "cassettes"]) == 2
    assert capsys.readouterr().err == (
        "tfx: cassettes/week.json: the values of week are synthetic and the recorded ones are gone; record it again to have them.\n"
    )
    assert cli.run(["sanitize", "--check", "--values", "synthetic", "cassettes"]) == 2


def test_below_a_folder_only_files_and_plain_folders_stand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Git stores the target of a link as it stands, and the name of a folder."""
    (folder / "README.md").symlink_to("zelmira@posthof.test")
    (folder / "loop").symlink_to(".")
    os.mkfifo(folder / "pipe.json")
    (folder / "zelmira@posthof.test").mkdir()
    (folder / "11374829").mkdir()
    (folder / "more").mkdir()
    assert cli.run(["sanitize", "--check", "cassettes"]) == 1
    told = capsys.readouterr().out
    for name, what in (
        ("README.md", "a symbolic link"),
        ("loop", "a symbolic link"),
        ("pipe.json", "no regular file"),
        ("11374829", "a folder"),
    ):
        assert f"cassettes/{name} file: {what}" in told
    assert "cassettes/more" not in told
    assert "5 of 6" in told


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    pipe = folder / "pipe.json"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(b"",), daemon=True)  # so that opening it would end, and the test with it
    writer.start()
    assert foreign(pipe) == "no regular file"
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    writer.join(5)
