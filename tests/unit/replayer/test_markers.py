"""What the cassette marker takes."""

import pytest

from replayer.pytest_plugin.markers import misused
from tandem.faults import Fault

FLAG = "freeze of the cassette marker is True or False"
TEXTS = 'faults of the cassette marker is a list of texts such as "pump-logs:2:429"'
NAMES = 'allow_programs of the cassette marker is a list of base names such as ["git"]'
MARKERS = (
    (pytest.mark.cassette("x", freeze=True, as_era=None, faults=["any:5:reset", Fault.parse("any:1:500")], allow_programs=("git",)), ""),
    (pytest.mark.cassette("x", freeze="no"), FLAG),
    (pytest.mark.cassette("x", freeze=1), FLAG),
    (pytest.mark.cassette("x", faults=[5]), TEXTS),
    (pytest.mark.cassette("x", faults=None), TEXTS),
    (pytest.mark.cassette("x", faults="any:5:reset"), TEXTS),
    (pytest.mark.cassette("x", allow_programs="git"), NAMES),
    (pytest.mark.cassette("x", allow_programs=5), NAMES),
    (pytest.mark.cassette("x", as_era="2024"), "as_era of the cassette marker is one of 2025, 2026-07, 2026-10"),
)


def test_every_value_is_seen_to_be_one_of_its_kind() -> None:
    for marker, said in MARKERS:
        assert misused(marker.mark) == said, marker.mark.kwargs
    assert misused(pytest.mark.cassette("x", faults=["x"]).mark).startswith("cannot read the fault 'x'; write it as")
