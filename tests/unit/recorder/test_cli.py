"""The command of the recorder: what it says when it is stopped, and its help."""

import click
import pytest

from recorder import job
from recorder.cli import record
from tfx import cli


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("record", "week"), "tfx: interrupted; what was fetched is kept, encrypted; continue with: tfx record week --resume\n"),
        (
            ("record", "week", "--days", "3", "--cassettes", "my own", "--values", "synthetic"),
            (
                "tfx: interrupted; what was fetched is kept, encrypted; "
                "continue with: tfx record week --cassettes 'my own' --values synthetic --resume\n"
            ),
        ),
        (("record", "day"), "tfx: interrupted; nothing was left half written.\n"),
        (("record", "week", "--simulated"), "tfx: interrupted; nothing was left half written.\n"),
        (("record", "week", "--", "x.py"), "tfx: interrupted; nothing was left half written.\n"),
    ],
)
def test_an_interrupted_recording_says_how_to_go_on(
    arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_order: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "run", interrupted)
    monkeypatch.setattr(job, "is_kept", lambda order: order.name == "week")
    monkeypatch.setattr(job, "keep_no_core", lambda: None)
    assert cli.run(arguments) == 130
    assert capsys.readouterr().err.lstrip("\n") == words  # Click ends the line of the ^C first


@pytest.mark.parametrize(("exit_code", "is_whole", "expected"), [(0, True, 0), (0, False, 1), (5, False, 5), (5, True, 5)])
def test_a_recording_that_lacks_an_answer_fails(*, exit_code: int, is_whole: bool, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done = job.Done(lines=(), report={}, exit_code=exit_code, is_whole=is_whole)
    monkeypatch.setattr(job, "run", lambda _order: done)
    monkeypatch.setattr(job, "keep_no_core", lambda: None)
    assert cli.run(["record", "app", "--", "x.py"]) == expected


def test_help_shows_every_option_once_and_only_help_outside_the_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["record", "--help"]) == 0
    parts, _, other = capsys.readouterr().out.partition("\nOther:\n")
    assert other.strip() == "-h, --help  Show this message and exit."
    shown = [line.split()[0] for line in parts.splitlines() if line.startswith("  --")]
    assert sorted(shown) == sorted(option.opts[0] for option in record.params if isinstance(option, click.Option))
