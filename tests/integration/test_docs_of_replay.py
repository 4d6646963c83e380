"""What the pages on replay show works as it is written there."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from jsonschema import Draft202012Validator
from pages import block, first_column
from strangers import Project, project_of

import tfx
from replayer.session import offline
from tfx import store
from tfx.cli import run
from tfx.errors import MismatchError

pytest_plugins = ["pytester"]

Node = dict[str, object]
SSO = "https://sso.tandemdiabetes.com/"
PATH = Path(__file__).parents[2] / "cassettes" / "session-us.json"
RECORDED = json.loads(PATH.read_bytes())
LOGS = json.loads(json.dumps(RECORDED["exchanges"][9]).replace("-000000000007", "-000000000001").replace("-000000000003", "-000000000002"))
"""As it is on a cassette of its own, where the numbers of identifiers begin anew."""
CLIENT = dict(LOGS["request"]["headers"])


def sealed(folder: Path, name: str, *exchanges: Node) -> Path:
    """A cassette of these exchanges, edited by hand and sealed as the page says."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(RECORDED | {"name": name, "exchanges": exchanges}, indent=1), "utf-8")
    assert run(["sanitize", "--edited", str(path)]) == 0
    assert run(["sanitize", "--check", str(path)]) == 0
    return path


def answered(path: Path, *urls: str) -> str:
    """A letter per request: a for an answer, - for a miss."""
    found = ""
    with offline(path, strict_windows=True, signed_in=True) as replay:
        for url in urls:
            try:
                answer = requests.get(url, timeout=9, headers=CLIENT)
                found += "a" if answer.ok else f"({answer.status_code})"
            except MismatchError:
                found += "-"
        replay.forgive()
    return found


def test_the_example_of_terms_is_a_whole_exchange(tmp_path: Path) -> None:
    exchange = json.loads(block("docs/replay.md", "an exchange"))
    assert answered(sealed(tmp_path, "week", exchange), SSO, SSO, SSO) == "aaa"


def test_every_row_of_terms_works_as_it_is_written(tmp_path: Path) -> None:
    page, other = ({**RECORDED["exchanges"][0]} for _ in range(2))
    url = LOGS["request"]["url"]
    later = url.replace("endDate=2024-07-03", "endDate=2024-07-01")
    assert later != url
    schema = json.loads((Path(tfx.__file__).parent / "cassette.schema.json").read_text("utf-8"))
    terms = Draft202012Validator(schema["$defs"]["exchange"]["properties"]["replay"] | {"$defs": schema["$defs"]})
    # Terms as they are written -> exchanges with them, what is asked, what is answered with them and without.
    rows: dict[str, tuple[list[Node], list[str], str, str]] = {
        '{"repeat": "last"}': ([page], [SSO, SSO, SSO], "aaa", "a--"),
        '{"repeat": "cycle"}': ([page], [SSO, SSO, SSO], "aaa", "a--"),
        '{"ignore": ["query.endDate"]}': ([LOGS], [later], "a", "-"),
        '{"then": "limited"}': ([page, {**other, "replay": {"when": "limited"}}], [SSO, SSO, SSO], "aa-", "a--"),
        '{"when": "limited"}': ([page], [SSO], "-", "a"),
    }
    assert [row for cells in first_column("docs/replay.md", '`"replay": ...`') for row in cells] == list(rows)
    for number, (row, (exchanges, urls, with_terms, without)) in enumerate(rows.items()):
        value = json.loads(row)
        terms.validate(value)
        first, *rest = exchanges
        assert answered(sealed(tmp_path, f"week{number}", {**first, "replay": value}, *rest), *urls) == with_terms, row
        assert answered(sealed(tmp_path, f"week{number}", first, *rest), *urls) == without, row


WRONG = [
    ({"replay": {"repaet": "last"}}, "exchange #1, replay: an unknown key (near it: repeat); known are repeat, ignore, when, then"),
    ({"replay": {"marisol": "last"}}, "exchange #1, replay: an unknown key; known are repeat, ignore, when, then"),
    ({"replay": {"repeat": "lats"}}, "exchange #1, replay.repeat: an unknown value (near it: last); known are once, last, cycle"),
    ({"replay": {"repeat": True}}, "exchange #1, replay.repeat: an unknown value; known are once, last, cycle"),
    ({"replay": {"when": "limitted"}}, "exchange #1, replay.when: an unknown value (near it: limited); known are start, signed-in, "),
    ({"replay": {"ignore": "query"}}, 'exchange #1, replay.ignore: it is a list of places such as ["query.endDate"]'),
    ({"replay": []}, 'exchange #1, replay: it is an object such as {"repeat": "last"}'),
    ({"repeat": "last"}, 'exchange #1, "repeat" belongs into the member "replay" of the exchange: "replay": {"repeat": ...}'),
    ({"reply": {}}, "exchange #1, an unknown key (near it: replay); known are request, response, replay"),
    ({"request": RECORDED["exchanges"][0]["request"] | {"replay": {}}}, 'exchange #1, request: "replay" stands beside "request" and'),
    ({"replay": {"ignore": ["path.pumpId"]}}, "#1 replay.ignore: not a place of a request (near it: path.pumperId); places are body, "),
    (
        {"replay": {"ignore": ["marisol"]}},
        "#1 replay.ignore: not a place of a request; places are body, header.content-type, path, query, ",
    ),
]


def test_terms_that_do_not_exist_are_refused_by_name_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "week.json"
    for change, words in WRONG:
        text = json.dumps(RECORDED | {"name": "week", "exchanges": [RECORDED["exchanges"][0] | change]}, indent=1)
        path.write_text(text, "utf-8")
        assert run(["sanitize", "--edited", str(path)]) == 2
        err = capsys.readouterr().err
        assert words in err, change
        assert "marisol" not in err
        assert path.read_text("utf-8") == text


@pytest.fixture
def project(pytester: pytest.Pytester) -> Iterator[Project]:
    with project_of(pytester) as made:
        store.save(replace(store.load(PATH), name="my-week"), made.folder / "cassettes")
        yield made


@pytest.mark.parametrize("marker", ["a client that signs in", "a client that is signed in"])
def test_a_client_of_ones_own_works_as_it_is_written(project: Project, marker: str) -> None:
    code, output = project.run(block("docs/pytest.md", marker), "--tfx-allow-unused")
    assert (code, "2 passed" in output) == (0, True), output


def test_the_test_of_the_readme_ends_as_the_readme_says(project: Project) -> None:
    text = block("README.md", "a test")
    code, output = project.run(text, "--tfx-allow-unused")
    assert (code, "no test asked for 3 of the 10 exchanges on cassettes/my-week.json" in output) == (0, True), output
    code, output = project.run(text)
    assert (code, "the run fails: no test asked for 3 of the 10 exchanges on cassettes/my-week.json" in output) == (1, True), output
    assert "tfx prune cassettes/my-week.json --usage usage.json --check  (deletes all 580 pump events)" in output
    assert project.run(text, ini="tfx_allow_unused = true")[0] == 0
