"""The plugin in a project of its own: runs of pytest inside a run, in processes of their own where processes are the point."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
import tape
from sampling import sampled
from strangers import MARK, Project, project_of

from replayer.pytest_plugin.sent_secrets import MASK
from tfx import store

pytest_plugins = ["pytester"]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Iterator[Project]:
    with project_of(pytester) as made:
        yield made


BOTH = f"""
{MARK}def test_one(cassette):
    assert ask() == 200
    assert cassette.used == (1,)

{MARK}def test_two():
    assert ask_keys() == 200
"""


def test_marked_tests_replay_with_or_without_the_fixture(project: Project) -> None:
    code, output = project.run(BOTH)
    assert code == 0, output
    assert "2 passed" in output


PUMPERS = "requests.get('https://source.tandemdiabetes.com/api/pumpers/pumpers/x')"


class Case(NamedTuple):
    why: str
    text: str
    code: int
    words: str
    arguments: tuple[str, ...] = ()


CASES = (
    Case("an exchange nobody asked for", f"{MARK}def test_one(): ask()", 1, "unused: small #2 GET tdcservices"),
    Case(
        "and why that fails the run",
        f"{MARK}def test_one(): ask()",
        1,
        "no test asked for 1 of the 2 exchanges on cassettes/small.json\nun",
    ),
    Case(
        "and what shows what would go",
        f"{MARK}def test_one(): ask()",
        1,
        "  and then: tfx prune cassettes/small.json --usage usage.json --check\n",
    ),
    Case(
        "and what lets it pass", f"{MARK}def test_one(): ask()", 1, "or let the run pass: pytest --tfx-allow-unused (or tfx_allow_unused ="
    ),
    Case("an exchange that may be unused", f"{MARK}def test_one(): ask()", 0, "\nno test asked for 1 of the 2", ("--tfx-allow-unused",)),
    Case("paths were named", BOTH, 0, "refuse it: paths were named on the command", ("--cassette-report=u.json", "test_it.py")),
    Case("tests were left out", BOTH, 0, "refuse it: tests were deselected", ("--cassette-report=u.json", "-k", "one")),
    Case("a report over a cassette", BOTH, 4, "would replace a file of another kind", ("--cassette-report=cassettes/small.json",)),
    Case("a report in no folder", BOTH, 4, "there is no folder {folder}/nowhere; make it, or", ("--cassette-report=nowhere/u.json",)),
    Case("a folder for a report", BOTH, 1, "the run fails: cassettes cannot be written (Is a directory)", ("--cassette-report=cassettes",)),
    Case("tests were deselected", BOTH, 0, "1 passed", ("-k", "one")),
    Case("one test was named", BOTH, 0, "1 passed", ("test_it.py::test_one",)),
    Case("a skipped test might have asked", f"{MARK}def test_one():\n    ask(); pytest.skip('x')", 0, "1 skipped"),
    Case("a swallowed attempt, unmarked test", f"{BOTH}\ndef test_three(): reach()", 1, "Failed: the test tried to"),
    Case("a swallowed attempt, marked test", f"{MARK}def test_one(): reach(); ask(); ask_keys()", 1, "Failed: replay is offline"),
    Case("loopback is blocked too", f"{BOTH}\ndef test_three(): connect()", 1, "NetworkBlockedError"),
    Case("unless the test is marked", f"{BOTH}\n@pytest.mark.loopback\ndef test_three(): connect()", 0, "3 passed"),
    Case(
        "a swallowed miss in a teardown",
        f"@pytest.fixture\ndef late():\n    yield\n    miss()\n{MARK}def test_one(late): ask(); ask_keys()",
        1,
        "test_it.py::test_one: no exchange on small answers GET",
    ),
    Case("a swallowed miss and a skip", f"{MARK}def test_one(): ask(); ask_keys(); miss(); pytest.skip('x')", 1, "no test failed of it"),
    Case("a swallowed miss, xfail", f"@pytest.mark.xfail\n{MARK}def test_one(): miss(); 1 / 0", 1, "no test failed of it"),
    Case("a swallowed miss and an exit", f"{MARK}def test_one(): miss(); pytest.exit('x', returncode=0)", 1, "no test failed of it"),
    Case("a miss forgiven and a skip", f"{MARK}def test_one(cassette): miss(); cassette.forgive(); pytest.skip('x')", 0, "1 skipped"),
    Case(
        "a swallowed miss in a forked process",
        f"{MARK}def test_one():\n    ask(); ask_keys()\n    if not os.fork(): miss(); os._exit(0)\n    os.wait()",
        1,
        "no exchange on small answers GET",
    ),
    Case("a fixture without its marker", "def test_one(cassette): pass", 1, "name the cassette of this test"),
    Case("why it was refused", f"{MARK}def test_one(): assert {PUMPERS}.ok", 1, "{pumperId} was answered with 403: Origin and Referer"),
    Case("no such cassette", "@pytest.mark.cassette('smal')\ndef test_one(): pass", 1, "not exist (near it: small); record it with"),
    Case("no such folder", f"{MARK}def test_one(): pass", 1, "there is no folder {folder}/x either: say where", ("--cassettes=x",)),
    Case("no such fault", f"{MARK.strip()[:-1]}, faults=['x'])\ndef test_one(): pass", 1, "cannot read the fault 'x'"),
    Case("no name", "@pytest.mark.cassette\ndef test_one(): pass\ndef test_two(): pass", 1, "the cassette marker takes one name"),
    Case("a word it does not know", "@pytest.mark.cassette('small', bogus=1)\ndef test_one(): pass", 1, "virtual_clock, and not bogus"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_what_a_run_makes_of_it(project: Project, case: Case) -> None:
    found, output = project.run(case.text, *case.arguments)
    assert (found, case.words.replace("{folder}", str(project.folder)) in output) == (case.code, True), output
    assert "replayer/" not in output, "no frame of ours"


@pytest.mark.parametrize(
    "late",
    sampled(("atexit.register(reach)",), rest=[("threading.Thread(target=lambda: (time.sleep(1), reach())).start()",)]),
    ids=["a handler", "a thread"],
)
@pytest.mark.slow
def test_what_comes_after_the_last_test_is_blocked_and_fails_the_run(project: Project, late: str) -> None:
    code, output = project.run(f"import atexit, threading, time\n{MARK}def test_one():\n    ask(); ask_keys(); {late}", apart=True)
    assert (code, "1 passed" in output, "blocked after the last test: tried to reach <IPv4" in output) == (1, True, True), output


@pytest.mark.proofs
def test_where_nothing_is_marked_tfx_keeps_out_of_the_way(project: Project) -> None:
    code, output = project.run("def test_one(): connect()", apart=True)
    assert (code, "tfx" in output) == (0, False), output


START = "import subprocess\ndef start(): subprocess.run(['ls'], check=True)\n"


@pytest.mark.parametrize(
    ("why", "text", "ini", "code"),
    [
        ("a cassette plays", f"{MARK}def test_one(): ask(); ask_keys(); start()", "", 1),
        ("none plays", f"{BOTH}\ndef test_three(): start()", "", 0),
        ("the project allows it", f"{MARK}def test_one(): ask(); ask_keys(); start()", "tfx_allow_programs = ls sh", 0),
        ("the marker allows it", f"{MARK.strip()[:-1]}, allow_programs=('ls',))\ndef test_one(): ask(); ask_keys(); start()", "", 0),
    ],
)
def test_programs_are_started_only_where_no_cassette_plays_or_by_name(project: Project, why: str, text: str, ini: str, code: int) -> None:
    found, output = project.run(START + text, ini=ini)
    assert (found, "start ls, which tfx cannot see into" in output) == (code, code == 1), output


def test_a_swallowed_miss_fails_its_test_and_prints_nothing_live(project: Project) -> None:
    text = f"""
def leak(word):
    try: requests.get("https://sso.tandemdiabetes.com/" + word)
    except BaseException: pass

{MARK}def test_one():
    leak("".join(("s3", "cret")))
    ask(); ask_keys()
"""
    code, output = project.run(text, "--showlocals", "--junitxml=report.xml", "-rA")
    assert code == 1
    assert "no exchange on small answers GET sso.tandemdiabetes.com/<text>" in output
    assert "s3cret" not in output + (project.folder / "report.xml").read_text()


def test_a_raised_miss_shows_no_frame_of_ours(project: Project) -> None:
    text = f"{MARK}def test_one():\n    ask(); ask()\n"
    code, output = project.run(text, "--showlocals")
    assert code == 1
    assert not re.search(r"replayer[/\\](stacks[/\\])?(session|patches)\.py", output)


TOKEN = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/token"
LOGIN = "https://tdcservices.tandemdiabetes.com/accounts/api/login"


@pytest.mark.proofs
@pytest.mark.parametrize(("ways", "full"), [(("requests",), False), (("requests", "urllib", "httpx", "itself"), True)])
def test_a_raised_miss_keeps_its_credentials_out_of_every_frame(project: Project, ways: tuple[str, ...], full: bool) -> None:
    session = tape.session()
    store.save(replace(session, name="small", exchanges=session.exchanges[:5]), project.folder / "cassettes")
    text = f"""
import sys, urllib.request, httpx
from tfx.exchange import Headers, Request
URLS = ({TOKEN!r}, {LOGIN!r})
SENT = {{"Content-Type": "application/x-www-form-urlencoded"}}
word = "".join(("s3", "cret"))
def body(*names): return "&".join(name + "=" + word for name in names).encode()

{MARK}@pytest.mark.parametrize("how", {ways!r})
@pytest.mark.parametrize("url, names", [
    (URLS[0], ("code", "code_verifier")), (URLS[0], ("code_verifier",)), (URLS[1], ("username", "password"))
])
def test_one(url, names, how, cassette):
    data = body(*names)
    if how == "requests": requests.post(url, data, headers=SENT)
    elif how == "urllib": urllib.request.urlopen(urllib.request.Request(url, data, SENT))
    elif how == "httpx": httpx.post(url, content=data, headers=SENT)
    else: cassette.answer(Request(method="POST", url=url, headers=Headers(SENT.items()), body=data))
"""
    code, output = project.run(text, "--showlocals", "--tb=long", *(["--full-trace"] if full else []), apart=True)
    assert (code, f"{3 * len(ways)} failed" in output) == (1, True), output[-3000:]
    # A frame's entry ends with the line that names its file.
    entries = re.findall(r"(?ms)(.*?)^(\S+):\d+: ", output)
    ours = [entry for entry, file in entries if re.search(r"\b(replayer|tfx|requests_mock)[/\\]\w+\.py$", file)]
    assert bool(ours) == full
    assert "s3cret" not in output, "in the client's own frames neither"


def test_the_whole_session_can_be_blocked_and_loopback_let_through(project: Project) -> None:
    (project.folder / "conftest.py").write_text(
        "import socket\n"
        "try: socket.getaddrinfo('192.0.2.1', 9)\n"
        "except BaseException as error: what = type(error).__name__\n"
        "else: what = 'let through'\n"
        "def pytest_report_header(): return what\n"
    )
    ini = "tfx_block_network = true\ntfx_allow_loopback = true"
    code, output = project.run("def test_one(): connect()", "-v", ini=ini)
    assert "NetworkBlockedError" in output, "while collecting"
    assert (code, "blocked: tried to reach <IPv4 address>:9 (getaddrinfo), at conftest.py:2" in output) == (1, True), (
        "the attempt fails the run"
    )


def test_where_the_network_is_blocked_no_test_starts_a_program_whether_a_cassette_plays_or_not(project: Project) -> None:
    text = """
import multiprocessing, subprocess, sys
@pytest.fixture(scope="session")
def late():
    yield
    subprocess.run([sys.executable, "-c", "1"])
def test_child(late): subprocess.run([sys.executable, "-c", "1"])
def test_spawn():
    process = multiprocessing.get_context("spawn").Process(target=print)
    process.start()
    process.join()
def test_named(): subprocess.run(["true"])
"""
    for ini, ended in (("", "2 failed, 1 passed, 1 error"), ("\ntfx_block_programs = false", "3 passed")):
        _, output = project.run(text, ini=f"tfx_block_network = true\ntfx_allow_programs = true{ini}")
        assert ended in output
        assert output.count("blocked: tried to start python") == 3 * (not ini), output


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.proofs)])
def test_a_parameter_that_was_sent_in_confidence_is_in_no_name_of_a_test(project: Project, workers: tuple[str, ...]) -> None:
    text = f"""
import warnings
{MARK}@pytest.mark.parametrize("word", ["Zq9!hunter-Bettina", "another"])
def test_one(word):
    if word != "another":
        with contextlib.suppress(BaseException):
            requests.post("https://sso.tandemdiabetes.com/nope", json={{"password": word}})
    warnings.warn("one")
"""
    _, output = project.run(text, "--junitxml=report.xml", "--cassette-report=usage.json", "-rA", *workers, apart=bool(workers))
    written = [(project.folder / name).read_text() for name in ("report.xml", "usage.json")]
    assert "hunter" not in output + "".join(written)
    assert f"FAILED test_it.py::test_one[{MASK}]" in output
    assert 'name="test_one[&lt;sent by the client&gt;]"' in written[0]
    assert f"test_it.py::test_one[{MASK}]" in written[1]
    assert "test_it.py::test_one[another]" in written[1], "what was not sent keeps its name"


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.proofs)])
def test_a_subtest_shows_nothing_that_was_sent_in_confidence(project: Project, workers: tuple[str, ...]) -> None:
    text = f"""
import unittest
word = "Zq9!hunter-Bettina"
def send():
    with contextlib.suppress(BaseException):
        requests.post("https://sso.tandemdiabetes.com/nope", json={{"password": word}})
{MARK}def test_one(subtests):
    send()
    with subtests.test(word, pw=word, **{{word: [word]}}):
        print(word)
        assert 0
{MARK}class TestTwo(unittest.TestCase):
    def test_two(self):
        send()
        with self.subTest(word, pw=word):
            print(word)
            assert 0
"""
    _, output = project.run(text, "--junitxml=report.xml", "-rA", *workers, apart=bool(workers))
    assert "hunter" not in output + (project.folder / "report.xml").read_text()
    plain = output.replace('"', "")  # pytest quotes once more what comes from a worker
    assert f"SUBFAILED[{MASK}] (pw='{MASK}', {MASK}=['{MASK}']) test_it.py::test_one" in plain
    assert f"SUBFAILED[{MASK}] (pw='{MASK}') test_it.py::TestTwo::test_two" in plain


@pytest.mark.proofs
def test_workers_of_xdist_add_up(project: Project) -> None:
    # Each worker asks for one exchange; together they use both.
    code, output = project.run(BOTH, "-n", "2", apart=True)
    assert code == 0, output
    code, output = project.run(BOTH.replace("ask_keys()", "ask()"), "-n", "2", apart=True)
    assert (code, output.count("unused: small #2")) == (1, 1), output


def test_windows_strictness_and_the_clock_are_the_markers_to_say(project: Project) -> None:
    text = """
import datetime
@pytest.mark.cassette('small', freeze=True, strict_windows=True)
def test_one(cassette):
    assert datetime.datetime.now(datetime.UTC).date() == datetime.date(2024, 7, 4)
    ask(); ask_keys()
def test_two():
    assert datetime.datetime.now(datetime.UTC).year > 2024
"""
    code, output = project.run(text)
    assert code == 0, output


def test_another_folder_of_cassettes(project: Project) -> None:
    (project.folder / "cassettes").rename(project.folder / "elsewhere")
    assert project.run(BOTH, "--cassettes", "elsewhere")[0] == 0
    assert project.run(BOTH, ini="tfx_cassettes = elsewhere")[0] == 0


def test_the_plugin_loads_only_itself_until_it_is_used() -> None:
    line = "import pytest, sys; known = set(sys.modules); import replayer.plugin; print(*(set(sys.modules) - known))"
    loaded = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout.split()
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names == {"replayer"}
    assert not [name for name in loaded if name.startswith(("replayer.session", "replayer.guard", "replayer.stacks", "replayer.matching"))]
