"""A failing test that handled a live secret: stdout, stderr, JUnit file and --showlocals, for each stack and each place it can be sent in.

The secret is drawn anew for each run and handed over in a file, so that no source line holds it. What was sent in confidence stands in no
frame, the client's own included; what was sent in other places in no frame of ours, and where the client swallowed the miss nowhere at all.
"""

import base64
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle

import pytest
import tape
from strangers import MARK, Project, project_of

from replayer.pytest_plugin.sent_secrets import MASK
from tfx import store
from tfx.exchange import Exchange, Terms

pytest_plugins = ["pytester"]

SESSION = tape.session()  # signed now: pytester forgets what its tests import, and the RSA library cannot be imported twice
CONFIDENTIAL = ("bearer", "cookie", "query", "path", "form", "json", "basic", "text", "multipart", "xml", "lines")
STACKS = ("requests", "urllib", "httpx", "http.client")
PLACES = ("bearer", "cookie", "agent", "query", "name", "path", "form", "json", "text", "multipart", "xml", "lines", "basic", "method")
REPORTS = ("--showlocals", "--tb=long", "--full-trace", "-rA", "--junitxml=report.xml", "-o", "junit_logging=all")
CLIENT = '''
import base64, json, pathlib, http.client, urllib.request
import httpx, requests

HOST = "sso.tandemdiabetes.com"

def sent(place, word):
    """Method, target, headers and body with the word in this place."""
    headers = {
        "bearer": {"Authorization": f"Bearer {word}"},
        "cookie": {"Cookie": f"session={word}"},
        "agent": {"User-Agent": word},
        "basic": {"Authorization": "Basic " + base64.b64encode(f"me:{word}".encode()).decode()},
        "form": {"Content-Type": "application/x-www-form-urlencoded"},
        "json": {"Content-Type": "application/json"},
        "text": {"Content-Type": "text/plain"},
        "multipart": {"Content-Type": "multipart/form-data; boundary=b"},
        "xml": {"Content-Type": "application/xml"},
        "lines": {"Content-Type": "application/json"},
    }.get(place, {})
    target = {"query": f"/?q={word}", "name": f"/?{word}=1", "path": f"/{word}/x"}.get(place, "/other")
    body = {
        "form": f"password={word}".encode(),
        "json": json.dumps({"password": word}).encode(),
        "text": f"it is {word}".encode(),
        "multipart": f'--b\\r\\nContent-Disposition: form-data; name="password"\\r\\n\\r\\n{word}\\r\\n--b--\\r\\n'.encode(),
        "xml": f"<login><password>{word}</password></login>".encode(),
        "lines": (json.dumps({"password": word}) + "\\n" + "{}").encode(),
    }.get(place)
    return (word if place == "method" else "POST" if body else "GET"), target, headers, body

def ask(how, place, target=None):
    method, where, headers, body = sent(place, pathlib.Path("word").read_text())
    where = target or where
    if how == "requests":
        return requests.request(method, f"https://{HOST}{where}", headers=headers, data=body).status_code
    if how == "urllib":
        asked = urllib.request.Request(f"https://{HOST}{where}", body, headers, method=method)
        return urllib.request.urlopen(asked).status
    if how == "httpx":
        return httpx.request(method, f"https://{HOST}{where}", headers=headers, content=body).status_code
    line = http.client.HTTPSConnection(HOST)
    line.request(method, where, body, headers)
    return line.getresponse().status
'''
EACH = f"""
from client import ask
{MARK}@pytest.mark.parametrize("how", {STACKS!r})
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Iterator[Project]:
    with project_of(pytester) as made:
        (made.folder / "client.py").write_text(CLIENT)
        (made.folder / "word").write_text(f"s{secrets.token_hex(12)}")
        yield made


def reported(project: Project, text: str, failures: int) -> str:
    code, output = project.run(text, *REPORTS, apart=True)
    report = (project.folder / "report.xml").read_text()
    assert (code, f"{failures} failed" in output, report.count("<failure") >= failures) == (1, True, True), output[-3000:]
    return f"{output}\n{report}"


def each_of(pairs: Sequence[tuple[str, str]]) -> str:
    """A test for each stack and place that lets the miss through."""
    head = f"from client import ask\n{MARK}@pytest.mark.parametrize(('how', 'place'), {list(pairs)!r})\n"
    return f"{head}def test_one(how, place):\n    ask(how, place)\n"


def test_a_swallowed_miss_shows_nothing(project: Project) -> None:
    text = f"""{EACH}def test_one(how):
    for place in {PLACES!r}:
        try: ask(how, place)
        except BaseException as error: print(error)
    raise AssertionError("the test itself fails")
"""
    shown = reported(project, text, len(STACKS))
    assert shown.count("no exchange on small answers") >= len(STACKS) * len(PLACES), "every miss is told"
    assert (project.folder / "word").read_text() not in shown.lower()


def test_an_answered_request_shows_nothing(project: Project) -> None:
    places, page = ("bearer", "cookie", "agent", "basic"), SESSION.exchanges[0]
    page = Exchange(request=page.request, response=page.response, terms=Terms(repeat="last"))
    store.save(replace(SESSION, name="small", exchanges=(page,)), project.folder / "cassettes")
    text = f"""{EACH}def test_one(how, cassette):
    assert [ask(how, place, "/") for place in {places!r}] == [200, 200, 200, 201], repr(cassette)
"""
    assert (project.folder / "word").read_text() not in reported(project, text, len(STACKS)).lower()


def test_a_miss_let_through_shows_nothing_of_it_in_anybodys_frames(project: Project) -> None:
    """Of what is sent in confidence; a User-Agent, a method or the name of a parameter is shown in the client's own frames."""
    # What is masked is text, whoever's frame it is of: each place once, and one of them on every stack.
    pairs = [*zip(cycle(STACKS), CONFIDENTIAL, strict=False), *((stack, CONFIDENTIAL[0]) for stack in STACKS[1:])]
    shown, word = reported(project, each_of(pairs), len(pairs)), (project.folder / "word").read_text()
    assert MASK in shown
    assert word not in shown.lower()
    assert base64.b64encode(f"me:{word}".encode()).decode() not in shown


def test_no_frame_of_ours_shows_what_is_sent_in_other_places(project: Project) -> None:
    places = sorted(set(PLACES) - set(CONFIDENTIAL))
    pairs = [*zip(STACKS, cycle(places), strict=False), *zip(STACKS, cycle((*places[1:], places[0])), strict=False)]
    shown, word = reported(project, each_of(pairs), len(pairs)), (project.folder / "word").read_text()
    entries = re.findall(r"(?ms)(.*?)^(\S+):\d+: ", shown)
    ours = [entry for entry, file in entries if re.search(r"\b(replayer|tfx|requests_mock)[/\\]\w+\.py$", file)]
    assert word in shown, "the client's own frames are the client's"
    assert ours
    assert [entry for entry in ours if word in entry.lower()] == []
    assert [line for line in shown.splitlines() if "MismatchError" in line and word in line.lower()] == []
