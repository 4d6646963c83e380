"""`tfx replay` runs other people's programs: processes of their own, guarded from their first line, children too."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import tape
from machine import Ran
from sampling import sampled

from tfx import store
from tfx.cli import run

SSO = "https://sso.tandemdiabetes.com/"
GOOD = f"import requests; print(requests.get({SSO!r}).status_code)"
MISS = f"""
import requests
try:
    requests.get({SSO + "private-word"!r})
except BaseException as error:
    print(type(error).__name__)
"""
REACH = """
import socket
try:
    socket.create_connection(("192.0.2.1", 9), timeout=0.01)
except BaseException as error:
    print(type(error).__name__)
"""


SERVED = f"""
import http.server, threading, requests
with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(requests.get("http://127.0.0.1:%d/app.py" % server.server_address[1]).status_code, requests.get({SSO!r}).status_code)
    server.shutdown()
"""


class Here:
    """The command in this process (the program still has one of its own), in a folder with a cassette."""

    def __init__(self, folder: Path, output: pytest.CaptureFixture[str]) -> None:
        self.folder, self._output = folder, output

    def tfx(self, *arguments: str) -> Ran:
        code = run(arguments)
        found = self._output.readouterr()
        return Ran(code=code, out=found.out, err=found.err)


@pytest.fixture
def here(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    store.save(tape.session(), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return Here(tmp_path, capfd)


def replay(here: Here, program: str, *options: str, name: str = "app.py") -> Ran:
    (here.folder / name).write_text(program)
    return here.tfx("replay", "session.json", *options, "--", name)


def last_line(ran: Ran) -> str:
    return ran.err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("program", "code", "out", "err"),
    sampled(
        (f"{GOOD}; raise SystemExit(7)", 7, "200\n", "1 of 10 exchanges used"),
        (MISS, 1, "MismatchError\n", "0 of 10 exchanges used, 1 request missed"),
        (REACH, 1, "NetworkBlockedError\n", "1 attempt to reach the network blocked"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143, "", "0 of 10 exchanges used"),
        rest=[
            (GOOD, 0, "200\n", "1 of 10 exchanges used, 0 requests missed, 0 attempts to reach the network blocked"),
            ("import os; os._exit(0)", 0, "", "0 of 10 exchanges used"),
            (f"import os; os.environ.clear()\n{MISS}{REACH}", 1, "", "1 request missed, 1 attempt to reach"),  # a test that empties its own
            (f"{MISS}\nimport os; os._exit(0)", 1, "", "1 request missed"),  # the report was written before the end
        ],
    ),
)
def test_the_exit_code_is_the_programs_unless_something_was_missed(here: Here, program: str, code: int, out: str, err: str) -> None:
    ran = replay(here, program)
    assert (ran.code, ran.out if out else "") == (code, out), ran.err
    assert err in last_line(ran)
    assert "private-word" not in ran.err


def test_a_child_is_led_to_the_cassette_and_guarded_too(here: Here) -> None:
    child = f"import subprocess, sys; print(subprocess.run([sys.executable, '-c', {MISS!r}], capture_output=True, text=True).stdout)"
    ran = replay(here, f"{GOOD}\n{child}")
    assert (ran.code, ran.out.split()) == (1, ["200", "MismatchError"])


REFUSED = (
    ("isolated", "subprocess.run([me, '-I', '-c', '1'])"),
    ("no site", "subprocess.run([me, '-W', 'ignore', '-S', '-c', '1'])"),
    ("no environment of Python's", "os.posix_spawn(me, [me, '-Ec', '1'], os.environ)"),
    ("an empty environment", "subprocess.run([me, '-c', '1'], env={})"),
    ("another sitecustomize first", "subprocess.run([me, '-c', '1'], env=os.environ | {'PYTHONPATH': 'mine:' + os.environ['PYTHONPATH']})"),
    ("no Python", "subprocess.run(['ls'])"),
    ("no Python, by its path", "subprocess.run(['/bin/ls'])"),
    ("a shell", "subprocess.run('echo ran', shell=True)"),
    ("the C library's shell", "os.system('echo ran')"),
    ("in this one's place", "os.execvp('ls', ['ls'])"),
    ("in this one's place, by its environment", "os.execve(me, [me, '-c', 'print(1)'], {})"),
    ("spawned", "os.posix_spawn('/bin/ls', ['ls'], os.environ)"),
    ("in a terminal", "pty.spawn(['ls'])"),
    ("a script of a shell", "subprocess.run(['./script'])"),
)
STARTED = (
    ("this Python", "subprocess.run([me, '-c', '1'], check=True)"),
    (
        "with more on its path",
        "subprocess.run([me, '-c', '1'], check=True, env=os.environ | {'PYTHONPATH': 'src:' + os.environ['PYTHONPATH']})",
    ),
    ("found on PATH", "subprocess.run(['python', '-c', '1'], check=True, env=os.environ | {'PATH': os.path.dirname(me)})"),
    ("a script of this Python", "subprocess.run([os.path.dirname(me) + '/tfx', '--version'], check=True)"),
    ("nothing of that name", "missing(['no-such-program'])"),
    ("nothing there", "missing(['/no/such/program'])"),
)


def starting(cases: tuple[tuple[str, str], ...]) -> str:
    """A program that tries all of them, and says how each ended."""
    lines = "".join(
        f"\ntry: {line}\nexcept BaseException as error: print({why!r}, type(error).__name__, flush=True)\n" for why, line in cases
    )
    return (
        "import contextlib, os, pty, subprocess, sys\n"
        "me = sys.executable\n"
        "def missing(words):\n"
        "    with contextlib.suppress(FileNotFoundError): subprocess.run(words)\n"
        f"{lines}"
    )


def test_no_program_is_started_that_would_not_carry_the_guard(here: Here) -> None:
    (here.folder / "mine").mkdir()
    (here.folder / "mine" / "sitecustomize.py").write_text("")
    (here.folder / "script").write_text("#!/bin/sh\necho ran\n")
    (here.folder / "script").chmod(0o700)
    ran = replay(here, starting(REFUSED))
    assert ran.out.splitlines() == [f"{why} NetworkBlockedError" for why, _ in REFUSED]
    assert (ran.code, f"{len(REFUSED)} attempts" in last_line(ran)) == (1, True)
    assert re.search(r"blocked: the program tried to start ls, which tfx cannot see into, at .*:\d+\n", ran.err)


def test_what_carries_the_guard_or_is_not_there_is_left_alone(here: Here) -> None:
    ran = replay(here, starting(STARTED))
    assert (ran.code, [line for line in ran.out.splitlines() if "Error" in line]) == (0, []), ran.err


def test_a_program_may_be_let_through_by_name(here: Here) -> None:
    program = "import subprocess; subprocess.run(['ls'], check=True); subprocess.run('true', shell=True, check=True)"
    assert replay(here, program, "--allow-programs", "ls", "--allow-programs", "sh").code == 0
    assert replay(here, program, "--allow-programs", "ls").code == 1


def test_a_forked_child_counts_too(here: Here) -> None:
    ran = replay(here, f"import os\nif os.fork() == 0:\n    {REACH.strip().replace(chr(10), chr(10) + '    ')}\n    os._exit(0)\nos.wait()")
    assert (ran.code, "1 attempt " in last_line(ran)) == (1, True), ran.err


def test_a_guard_that_cannot_be_put_in_place_lets_nothing_run(here: Here) -> None:
    """site would print the error and carry on."""
    child = "subprocess.run([sys.executable, '-c', 'print(1)'], env=os.environ | {'TFX_REPLAY_REPORT': '/no'})"
    program = f"import os, subprocess, sys; print({child})"
    ran = replay(here, program)
    assert "returncode=2" in ran.out
    assert "the guard could not be put in place (FileNotFoundError)" in ran.err


def test_a_pool_of_processes_is_guarded_too(here: Here) -> None:
    program = (
        "import multiprocessing, requests\n"
        f"def ask(_): return requests.get({SSO!r}).status_code\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(ask, [1]))\n"
    )
    ran = replay(here, program)
    assert (ran.code, ran.out) == (0, "[200]\n"), ran.err


def test_the_guard_is_on_before_the_first_line_and_other_sitecustomize_still_run(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = here.folder / "mine"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("from replayer.guard.hook import GUARD; print('mine', GUARD.is_on)")
    (here.folder / "app.py").write_text("print('app')")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    ran = here.tfx("replay", "session.json", "--", "app.py")
    assert (ran.code, ran.out) == (0, "mine True\napp\n"), ran.err


def test_frozen_today_is_the_cassettes(here: Here) -> None:
    program = "import datetime, time; print(datetime.datetime.now(datetime.UTC).date(), time.gmtime().tm_hour, time.localtime().tm_year)"
    assert replay(here, program, "--freeze").out == "2024-07-04 20 2024\n"
    assert not replay(here, program).out.startswith("2024")


def test_windows_can_be_strict(here: Here) -> None:
    headers = dict(tape.data_headers("us"))
    program = f"import requests; print(requests.get({tape.logs_url('2024-07-02', '2024-07-02')!r}, headers={headers!r}).status_code)"
    assert replay(here, program).code == 0
    assert replay(here, program, "--strict-windows", "--signed-in").code == 1


def test_all_used_fails_and_names_what_is_left(here: Here) -> None:
    ran = replay(here, GOOD, "--all-used")
    assert ran.code == 1
    assert "unused: #2 POST tdcservices.tandemdiabetes.com/accounts/api/login" in ran.err


def test_json_on_stdout_and_the_program_on_stderr(here: Here) -> None:
    ran = replay(here, GOOD, "--json")
    report = json.loads(ran.out)
    assert (report["used"], len(report["unused"]), report["program_exit_code"], report["misses"]) == ([1], 9, 0, [])
    assert "200" in ran.err


def test_a_module_a_flag_and_a_console_script(here: Here) -> None:
    (here.folder / "app.py").write_text("import sys; print(sys.argv[1:])")
    assert here.tfx("replay", "session.json", "--", "-m", "app", "--json", "-x").out == "['--json', '-x']\n"
    assert here.tfx("replay", "session.json", "--", "python", "app.py", "--", "a").out == "['--', 'a']\n"
    assert here.tfx("replay", "session.json", "--", "tfx", "--version").out.startswith("tfx, version")


def test_a_program_that_escapes_the_guard_is_no_success(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """A way round the bootstrap is noticed: nobody reported for duty."""
    monkeypatch.setattr("replayer.programs.child.BOOTSTRAP", here.folder)
    ran = replay(here, "print('ran')")
    assert (ran.code, ran.out) == (1, "ran\n")
    assert "the program ended before tfx's guard was on" in ran.err


@pytest.mark.parametrize(
    ("why", "answer"),
    [
        ("no list", {"events": 7, "clockChanges": []}),
        ("a member is missing", {"events": [{"eventCode": 4}], "clockChanges": []}),
        ("a number is text", {"events": [{**tape.EVENTS[0], "sequenceNumber": "7"}], "clockChanges": []}),
        ("a time is a number", {"events": [{**tape.EVENTS[0], "pumpDateTime": 7}], "clockChanges": []}),
        ("no object", {"events": [7], "clockChanges": []}),
    ],
)
def test_a_mistyped_cassette_is_refused_before_the_program_starts(here: Here, why: str, answer: dict[str, object]) -> None:
    session = tape.session()
    body = tape.as_json(answer)
    last = session.exchanges[-1].replacing(response=replace(session.exchanges[-1].response, body=body))
    store.save(replace(session, exchanges=(*session.exchanges[:-1], last)), here.folder)
    ran = replay(here, "open('started', 'w')")
    assert (ran.code, (here.folder / "started").exists()) == (2, False), ran.err
    assert ran.err.startswith("tfx: exchange #10 answers pump-logs with something that is not events"), ran.err
    ran = here.tfx("show", "session.json")
    if why != "a time is a number":  # listed as it stands
        assert (ran.code, ran.err[:22]) == (2, "tfx: exchange #10 answ"), ran.err


def test_nothing_is_left_behind(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(here.folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    replay(here, MISS)
    assert {path.name for path in here.folder.iterdir()} == {"app.py", "session.json"}


def test_a_program_that_is_interrupted_ends_as_one(here: Here) -> None:
    assert replay(here, "import os, signal; os.kill(os.getpid(), signal.SIGINT)").code == 130


@pytest.mark.proofs
def test_a_program_reaches_this_machine_if_it_is_allowed(here: Here) -> None:
    ran = replay(here, SERVED, "--allow", "loopback")
    assert (ran.code, ran.out) == (0, "200 200\n"), ran.err
    ran = replay(here, "import requests; requests.get('http://127.0.0.1:9/')")
    assert ran.code == 1
    assert "let the program leave it out, or let it through: tfx replay --allow loopback\n" in ran.err
    ran = here.tfx("replay", "session", "--allow", "loopback", "--", "true")
    assert ran.code == 2
    assert "--freeze, --virtual-clock, --allow and --allow-programs are for Python programs" in ran.err
