"""Unexpected responses of the service, hundreds of times: the cassette is closed, stable, and holds no canary."""

import pytest
from answers import HOST, ID, LOGS, VALUES, closed
from hypothesis import given, settings
from hypothesis import strategies as st

from tfx.jsonbody import Json

PATHS = ("reports/bff/pumper/{}", "pumpers/pumpers/{}", "reports/reportsfacade/{}/pumpeventmetadata", "reports/bff/pump-logs/{}")


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=200)
@given(value=VALUES, status=st.sampled_from([200, 200, 404, 500]))
def test_any_answer(path: str, value: Json, status: int) -> None:
    closed(f"{HOST}/{path.format(ID)}", value, status)


@settings(max_examples=400)
@given(value=LOGS)
def test_any_list_of_events(value: Json) -> None:
    closed(f"{HOST}/reports/bff/pump-logs/{ID}", value)
