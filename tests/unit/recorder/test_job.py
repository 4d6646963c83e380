"""What becomes of a capture: the name it is written under decides nothing but whether amounts are kept."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder.job import taped
from recorder.order import Order
from recorder.program import Ran
from tfx.errors import RefusedError, UsageError
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.store import load

PAGE = Exchange(
    request=Request(method="GET", url="https://sso.tandemdiabetes.com/"),
    response=Response(status=200, headers=Headers([("Content-Type", "text/html")]), body=b"<html></html>"),
)
HOME = Exchange(
    request=Request(method="GET", url="https://source.tandemdiabetes.com/api/pumpers/pumpers/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"),
    response=Response(status=404, headers=Headers([("Content-Type", "text/html")]), body=b"<html></html>"),
)
NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)


def ran(*exchanges: Exchange, exit_code: int = 0, **unrecorded: int) -> Ran:
    return Ran(exit_code=exit_code, exchanges=exchanges, unrecorded=unrecorded)


def recorded(folder: Path, values: str | None) -> str:
    taped(Order(name="week", cassettes=folder, values=values), ran(PAGE, HOME), NOW)
    return load(folder / "week.json").values


def test_a_recording_keeps_amounts_unless_it_replaces_one_that_does_not(tmp_path: Path) -> None:
    steps = [(None, "keep"), ("synthetic", "synthetic"), (None, "synthetic"), ("keep", "keep"), (None, "keep")]
    assert [recorded(tmp_path, asked) for asked, _ in steps] == [made for _, made in steps]


@pytest.mark.parametrize("text", ["", "{}", '{"tfx_cassette": 9}'])
def test_what_cannot_be_read_is_replaced_by_a_recording_with_amounts(tmp_path: Path, text: str) -> None:
    (tmp_path / "week.json").write_text(text)
    assert recorded(tmp_path, None) == "keep"


def test_a_recording_that_would_lack_something_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"through aiohttp \(1\), urllib3 \(2\); the cassette would lack what"):
        taped(Order(name="week", cassettes=tmp_path), ran(PAGE, HOME, urllib3=2, aiohttp=1), NOW)
    assert list(tmp_path.iterdir()) == []


STREAM = Exchange(
    request=Request(method="GET", url="https://source.tandemdiabetes.com/api/reports/bff/pumper/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"),
    response=Response(status=200, headers=Headers([("Content-Type", "application/x-protobuf")]), body=b"Marisol"),
)
STRANGE = Exchange(
    request=Request(method="GET", url=STREAM.request.url),
    response=Response(status=200, headers=Headers([("Content-Type", "application/json")]), body=b'{"ottilie": "x", "birthdate": "x"}'),
)


def test_what_cannot_be_understood_is_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"^#2 .*; nothing was written. Leave out what cannot be understood with --leave-out-refused$"):
        taped(Order(name="week", cassettes=tmp_path), ran(PAGE, STREAM, HOME), NOW)
    assert list(tmp_path.iterdir()) == []
    report = tmp_path / "audit.json"
    done = taped(Order(name="week", cassettes=tmp_path, leave_out_refused=True, report=report), ran(PAGE, STREAM, HOME, exit_code=7), NOW)
    assert (len(load(tmp_path / "week.json").exchanges), done.exit_code, done.report["refused and left out"]) == (2, 7, 1)
    assert any(line.startswith("  #2 exchange: refused (") and line.endswith("; left out") for line in done.lines)
    assert json.loads(report.read_text())["files"][0]["refused and left out"] == 1


def test_requests_without_a_whole_answer_are_counted(tmp_path: Path) -> None:
    cut = {"GET /": 2, "POST /accounts/api/login": 1}
    done = taped(Order(name="week", cassettes=tmp_path), replace(ran(PAGE, HOME), unfinished=cut), NOW)
    assert (done.exit_code, done.is_whole, done.report["unfinished"]) == (0, False, cut)
    assert done.warnings[0].startswith(
        "3 requests got no whole answer (timed out, cancelled or broken off), so the cassette lacks them: GET"
    )
    assert "GET / (2), POST /accounts/api/login (1). Where" in done.warnings[0]
    assert taped(Order(name="week", cassettes=tmp_path), ran(PAGE, HOME), NOW).is_whole


def test_rules_for_names_that_may_be_somebodys_are_written_and_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    done = taped(Order(name="week", cassettes=tmp_path, suggest=file), ran(STRANGE), NOW)
    assert "ottilie" not in "\n".join(done.lines) + json.dumps(done.report)
    assert any('.response."birthdate" = "blank"' in line for line in done.lines)
    assert '.response."ottilie" = "blank"  # text; a name tfx does not know' in file.read_text()
