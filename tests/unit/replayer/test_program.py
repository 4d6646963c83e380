"""Which Python program a command line means, and the environment it gets."""

import sys
from pathlib import Path

import pytest

from replayer.programs import program
from replayer.programs.child import BOOTSTRAP, environment
from tfx.errors import UsageError

ME = sys.executable


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "app.py": "",
        "script": f"#!{ME}\n",
        "wrapped": f"#!/bin/sh\n'''exec' '{ME}' \"$0\" \"$@\"\n' '''\n",
        "theirs": "#!/usr/bin/python3\n",
        "by_path": "#!/usr/bin/env python3\n",
        "broken": "#!/bin/sh\n'''exec' '/a long/path/python3' \"$0\" \"$@\"\n' '''\n",
        "shell": "#!/bin/sh\n",
        "binary": "\x7fELF python",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "nul.py").write_bytes(b"pass\n" * 100 + b"\0")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.py").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["app.py", "-x"], [ME, "app.py", "-x"]),
        (["-m", "app", "-I"], [ME, "-m", "app", "-I"]),
        (["-c", "pass"], [ME, "-c", "pass"]),
        (["python", "app.py"], [ME, "app.py"]),
        (["python3", "-u", "-m", "app", "-E"], [ME, "-u", "-m", "app", "-E"]),
        ([ME, "-W", "error::ImportWarning", "app.py"], [ME, "-W", "error::ImportWarning", "app.py"]),
        (["python", "-W", "-I", "app.py"], [ME, "-W", "-I", "app.py"]),  # the value of -W
        (["python", "-WI", "-XE", "app.py", "-S"], [ME, "-WI", "-XE", "app.py", "-S"]),
        (["python", "-Bc", "pass", "-I"], [ME, "-Bc", "pass", "-I"]),
        (["python", "-cS=1", "-I"], [ME, "-cS=1", "-I"]),
        (["python", "--", "-I"], [ME, "--", "-I"]),
        (["python", "--check-hash-based-pycs", "-I", "app.py"], [ME, "--check-hash-based-pycs", "-I", "app.py"]),
        (["./script", "a"], [ME, "./script", "a"]),
        (["./wrapped"], [ME, "./wrapped"]),
        (["./by_path"], [ME, "./by_path"]),
        ([str(Path(ME).with_name("python3")), "app.py"], [ME, "app.py"]),
        (["tfx", "--version"], [ME, str(Path(ME).with_name("tfx")), "--version"]),
    ],
)
def test_python_programs_run_in_this_interpreter(here: Path, words: list[str], expected: list[str]) -> None:
    assert program.command(words) == program.Line(words=tuple(expected), is_python=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.py"], "there is no program 'nowhere.py'"),
        (["no-such-command-anywhere"], "there is no program 'no-such-command-anywhere'"),
        (["./shell"], "is not a Python program"),
        (["./broken"], f"is not a Python program for {ME}"),
        (["./binary"], "is not a Python program"),
        (["python", "-I", "app.py"], "starts without tfx's guard"),
        (["python", "-BE", "app.py"], "starts without tfx's guard"),
        (["python", "-S"], "starts without tfx's guard"),
        (["python", "-W", "ignore", "-I", "-c", "pass"], "python -I starts without tfx's guard"),
        (["python", "-X", "dev", "-E", "app.py"], "starts without tfx's guard"),
        (["python", "-BW", "ignore", "-Is", "app.py"], "python -Is starts without tfx's guard"),
        (["python", "--check-hash-based-pycs", "default", "-S", "app.py"], "starts without tfx's guard"),
        (["."], "there is no program '.'"),
        ([".."], "there is no program '..'"),
        ([""], "there is no program ''"),
        (["/"], "there is no program '/'"),
        (["folder"], "there is no program 'folder'"),
        (["folder.py"], "there is no program 'folder.py'"),
        (["nul.py"], "nul.py is not a Python program"),
        (["x" * 300], "cannot be read"),
        (["./" + "x" * 300], "cannot be read"),
    ],
)
def test_anything_else_is_refused(here: Path, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        program.command(words)


def test_proxies_are_gone_from_the_environment_and_the_bootstrap_comes_first() -> None:
    plain = {"HTTPS_PROXY": "x", "http_proxy": "x", "all_proxy": "x", "NO_PROXY": "x", "PYTHONPATH": "/mine", "KEPT": "yes"}
    found = environment(plain, cassettes=[Path("a.json")], report=Path("/r"), freeze=True, strict_windows=False)
    assert not [name for name in found if name.lower().endswith("_proxy")]
    assert found["PYTHONPATH"].split(":")[:2] == [str(BOOTSTRAP), "/mine"]
    assert (found["KEPT"], found["TFX_REPLAY_FREEZE"], Path(found["TFX_REPLAY_CASSETTE"]).is_absolute()) == ("yes", "1", True)
    assert "TFX_REPLAY_STRICT_WINDOWS" not in found


def test_a_program_of_another_kind_is_found_and_told_apart(here: Path) -> None:
    for name in ("binary", "theirs"):
        (here / name).chmod(0o700)
    (here / "bin").mkdir()
    other = here / "bin" / Path(ME).name
    other.symlink_to(Path(ME).resolve())
    for words in (["./binary", "-I"], ["./theirs"], [str(other), "app.py"], [f"bin/{other.name}", "-I", "app.py"]):
        assert program.command(words) == program.Line(words=tuple(words), is_python=False)
    assert program.command(["sh", "-c", "true"]).words[0].endswith("/sh")
