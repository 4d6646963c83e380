from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from simulator.cli import instant, simulate
from tandem.endpoints import ENDPOINTS
from tandem.eras import ERAS
from tandem.faults import ANSWERS, TRANSPORTS
from tandem.regions import REGIONS
from tfx.errors import UsageError


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-02T08:00:00Z", "UTC named"),
        ("2026-11-02T08:00:00", "UTC meant"),
        ("2026-11-02T00:00:00-08:00", "an offset"),
    ],
)
def test_an_instant_is_utc_unless_it_says_otherwise(text: str, why: str) -> None:
    assert instant(text) == datetime(2026, 11, 2, 8, tzinfo=UTC), why


def test_an_instant_that_is_none_is_refused_with_one_that_is() -> None:
    with pytest.raises(UsageError) as caught:
        instant("yesterday")
    assert str(caught.value) == "cannot read the instant 'yesterday'; write it like 2026-11-02T08:00:00Z"


def test_the_help_names_every_fault_endpoint_era_and_region() -> None:
    # They are written out so that the help costs no import of the service; here they are held to the tables.
    words = (
        CliRunner()
        .invoke(simulate, ["--help"])
        .output.replace(",", " ")
        .replace(".", " ")
        .replace("|", " ")
        .replace("[", " ")
        .replace("]", " ")
        .split()
    )
    named = {*ANSWERS, *TRANSPORTS, *(endpoint.name for endpoint in ENDPOINTS), *ERAS, *REGIONS}
    assert named <= {word.strip("()") for word in words}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fault", "pump-logs"], "cannot read the fault 'pump-logs'"),
        (["--now", "soon"], "cannot read the instant 'soon'"),
    ],
)
def test_bad_words_are_refused_before_anything_starts(arguments: list[str], says: str) -> None:
    found = CliRunner().invoke(simulate, arguments)
    assert isinstance(found.exception, UsageError)
    assert str(found.exception).startswith(says)
