"""The demo's report and picture: everything found out is shown, and a proof that fails says so."""

import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from simulator.demo_picture import glucose_picture
from simulator.demo_report import Proof, Report, show

REPORT = Report(
    recorded={"exchanges": "10"},
    rules={"serial": 6, "uuid": 1234},
    proofs=(Proof(claim="it is so", shown="by this", holds=True),),
    client={"events": 774},
    rows={"cgm_readings": 248},
    summary={"glucose": "248 readings"},
    picture="a picture [not markup]",
    seconds=4.6,
)


def printed(report: Report) -> str:
    console = Console(width=120, file=io.StringIO(), record=True)
    show(report, console)
    return console.export_text()


PARTS = ["exchanges", "1,234", "it is so", "by this", "774", "cgm_readings", "248 readings", "a picture [not markup]", "(5 s)"]


@pytest.mark.parametrize("part", PARTS)
def test_everything_found_out_is_shown(part: str) -> None:
    assert part in printed(REPORT)


def test_a_proof_that_fails_says_so() -> None:
    failed = replace(REPORT, proofs=(replace(REPORT.proofs[0], holds=False),))
    assert not failed.holds
    assert "FAILS" in printed(failed)
    assert "Everything holds" not in printed(failed)
    assert failed.as_json()["holds"] is False


def test_the_picture_draws_every_height_and_the_target_range() -> None:
    start = datetime(2024, 7, 1, 6, 0)  # noqa: DTZ001  # pump clocks have no zone
    text = glucose_picture([(start + timedelta(minutes=5 * step), 60 + step) for step in range(200)])
    lines = text.splitlines()
    assert sum("•" in line for line in lines) >= 8
    assert any(line.startswith("180├") and "─" in line for line in lines)
    assert any(line.startswith(" 70├") and "─" in line for line in lines)
    assert "06:00" in lines[-1]


def test_no_readings_no_picture() -> None:
    assert glucose_picture([]) == ""
