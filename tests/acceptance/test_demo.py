"""`tfx demo` runs every stage and leaves nothing behind."""

import json

import pytest
from machine import Machine


@pytest.mark.proofs
@pytest.mark.slow
def test_the_demo_shows_what_it_claims(machine: Machine) -> None:
    ran = machine.tfx("demo", "--region", "eu", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert [proof["holds"] for proof in report["proofs"]] == [True] * 4
    assert report["rows"]["cgm_readings"] > 100
    # The pipeline also keeps clock changes from before the window, which the service sends whole with every answer.
    assert report["rows"]["events"] - report["client"]["events"] == report["rows"]["clock_changes"]
    assert machine.files() == []
