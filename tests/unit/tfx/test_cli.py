"""The command: one-paragraph errors, the right exit code, never a traceback, never a value in hand."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
import requests

from tfx import cli, start
from tfx.errors import CassetteError, FoundError, ServiceError


def test_without_a_verb_it_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    assert capsys.readouterr().err == (
        "tfx: name a verb: record, show, sanitize, replay, pipeline, verify, diff, convert, prune, orphans, simulate, demo. "
        "See: tfx --help.\n"
    )


def test_a_wrong_verb_is_answered_with_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["rewind"]) == 2
    assert capsys.readouterr().err.startswith("tfx: there is no verb 'rewind'; the verbs are record, ")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (FoundError("found it"), 1, "tfx: found it.\n"),
        (CassetteError("broken"), 2, "tfx: broken.\n"),
        (ServiceError("no answer"), 3, "tfx: no answer.\n"),
        (click.UsageError("odd words"), 2, "tfx: odd words. See: tfx --help.\n"),
        (
            PermissionError(13, "Permission denied", "/there"),
            2,
            "tfx: a file, folder or connection cannot be used (/there): Permission denied; check it and run the command again.\n",
        ),
        (
            requests.ConnectionError("while sending canary"),
            2,
            "tfx: a file, folder or connection cannot be used: ConnectionError; check it and run the command again.\n",
        ),
        (KeyboardInterrupt(), 130, "tfx: interrupted; nothing was left half written.\n"),
    ],
)
def test_each_kind_of_error_has_its_words_and_code(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.cli, "main", fail)
    assert cli.run(["show"]) == code
    assert capsys.readouterr().err == words


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_fault_of_our_own_prints_no_value(debug: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**_: object) -> None:
        password = "canary-7f3a"
        raise RuntimeError(f"while holding {password}")

    monkeypatch.setenv("TFX_DEBUG", debug)
    monkeypatch.setattr(cli.cli, "main", fail)
    assert cli.run(["show"]) == 2
    said = capsys.readouterr().err
    assert "canary" not in said
    assert "RuntimeError in test_cli.py" in said
    assert ("test_cli.py:" in said) is bool(debug)


@pytest.mark.parametrize("verb", sorted(cli.VERBS))
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([verb, "--help"]) == 0
    said = capsys.readouterr().out
    assert "\nExample" in said or "\n  Example" in said, f"{verb} shows no example on a line of its own"
    assert "\\b" not in said


def test_help_loads_no_stage() -> None:
    code = "import sys; from tfx.cli import run; run(['--help']); print([m for m in sys.modules if m.split('.')[0] in sys.argv[1:]])"
    stages = ["recorder", "sanitizer", "replayer", "pipeline", "simulator", "tandem", "requests", "numpy"]
    out = subprocess.run([sys.executable, "-c", code, *stages], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_gone_is_no_finding(root: Path) -> None:
    command = f"{sys.executable} -m tfx show cassettes/session-us.json | head -c 1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], cwd=root, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "s", "")


def test_closed_streams_are_no_fault(root: Path) -> None:
    ended = subprocess.run(["bash", "-c", f"{sys.executable} -m tfx --version >&- 2>&-"], cwd=root, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.parametrize("wrapped", [False, True])
def test_sigterm_is_told_apart_from_an_interrupt(
    wrapped: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(**_: object) -> None:
        try:
            cli._terminated(15, None)
        except KeyboardInterrupt as error:
            if wrapped:  # as Click does with what stops one of its prompts
                raise click.Abort from error
            raise

    monkeypatch.setattr(cli.cli, "main", stopped)
    assert cli.run([]) == 143
    assert capsys.readouterr().err == "tfx: ended by SIGTERM; nothing was left half written.\n"


def test_an_interrupt_while_the_command_loads_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "tfx.cli")
    monkeypatch.setattr(sys, "argv", ["tfx", "show"])
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=interrupted), *sys.meta_path])
    with pytest.raises((SystemExit, KeyboardInterrupt)) as ended:
        start.main()
    assert getattr(ended.value, "code", "a traceback") == 130
