"""Which commands are Python programs, and which cloud and era a program spoke to."""

import subprocess
import sys
from pathlib import Path

import pytest

from recorder.program import region_and_era, resolved, run
from tfx.errors import UsageError
from tfx.exchange import Exchange, Request, Response

US, EU = "https://source.tandemdiabetes.com/api", "https://source.eu.tandemdiabetes.com/api"


@pytest.mark.parametrize(
    ("command", "expected", "why"),
    [
        (("-m", "timeit", "-h"), ("-m", "timeit", "-h"), "a module"),
        (("python", "-m", "timeit"), ("-m", "timeit"), "as one types it"),
        ((sys.executable, "-m", "timeit"), ("-m", "timeit"), "by its path"),
        (("app.py", "--x"), ("app.py", "--x"), "a file"),
        (("python3", "app.py"), ("app.py",), "a file with its interpreter"),
        (("./tool",), ("./tool",), "a script that says so in its first line"),
    ],
)
def test_python_programs_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], expected: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text("")
    Path("tool").write_text("#!/usr/bin/env python3\n")
    assert resolved(command) == expected, why


@pytest.mark.parametrize("command", [(), ("python",), ("-m",), ("-c", "print()"), ("none.py",), ("./shell",), ("true",)])
def test_other_commands_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shell").write_text("#!/bin/sh\n")
    with pytest.raises(UsageError, match=r"what follows -- is not a Python program; name a .py file, -m MODULE, or a script"):
        resolved(command)


def test_a_program_ended_by_a_signal_has_the_exit_code_of_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.py").write_text("")
    monkeypatch.setattr(subprocess, "run", lambda child, **_: subprocess.CompletedProcess(child, -15))
    assert run([str(tmp_path / "app.py")]).exit_code == 143


def exchanges(*urls: str) -> list[Exchange]:
    return [Exchange(request=Request(method="GET", url=url), response=Response(status=200)) for url in urls]


@pytest.mark.parametrize(
    ("urls", "expected", "why"),
    [
        ((f"{US}/reports/bff/pumper/p",), ("us", "2026-10"), "nothing says otherwise"),
        ((f"{EU}/reports/bff/pump-logs/a?eventCodes=1",), ("eu", "2026-10"), "the key of today"),
        ((f"{EU}/reports/bff/pump-logs/a?eventIds=1",), ("eu", "2026-07"), "the key of July"),
        ((f"{US}/reports/reportsfacade/p/pumpeventmetadata",), ("us", "2025"), "the dead endpoint"),
        ((f"{US}/reports/reportsfacade/pumpevents/p/1?eventIds=1",), ("us", "2025"), "the other one"),
        (("https://sso.tandemdiabetes.com/",), ("us", "2026-10"), "both regions share it"),
    ],
)
def test_region_and_era_are_read_off_the_requests(urls: tuple[str, ...], expected: tuple[str, str], why: str) -> None:
    assert region_and_era(exchanges(*urls)) == expected, why


def test_nothing_and_both_are_refused() -> None:
    with pytest.raises(UsageError, match="the program got no answer from Tandem Source"):
        region_and_era([])
    with pytest.raises(UsageError, match="asked both clouds"):
        region_and_era(exchanges(f"{US}/x", f"{EU}/x"))


def test_a_dead_endpoint_that_was_tried_does_not_name_the_era() -> None:
    tried = Exchange(request=Request(method="GET", url=f"{US}/reports/reportsfacade/p/pumpeventmetadata"), response=Response(status=404))
    assert region_and_era([tried, *exchanges(f"{US}/reports/bff/pumper/p")]) == ("us", "2026-10")
