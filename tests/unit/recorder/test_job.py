"""What becomes of a capture: the name it is written under decides nothing but whether amounts are kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder.job import taped
from recorder.order import Order
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


def recorded(folder: Path, values: str | None) -> str:
    taped(Order(name="week", cassettes=folder, values=values), (PAGE, HOME), NOW)
    return load(folder / "week.json").values


def test_a_recording_keeps_amounts_unless_it_replaces_one_that_does_not(tmp_path: Path) -> None:
    steps = [(None, "keep"), ("synthetic", "synthetic"), (None, "synthetic"), ("keep", "keep"), (None, "keep")]
    assert [recorded(tmp_path, asked) for asked, _ in steps] == [made for _, made in steps]


@pytest.mark.parametrize("text", ["", "{}", '{"tfx_cassette": 9}'])
def test_what_cannot_be_read_is_replaced_by_a_recording_with_amounts(tmp_path: Path, text: str) -> None:
    (tmp_path / "week.json").write_text(text)
    assert recorded(tmp_path, None) == "keep"
