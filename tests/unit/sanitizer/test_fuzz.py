"""Whatever the service may answer some day: what comes out is closed, comes out again as it is, and never holds the canary.

A few examples of each; hundreds in tests/proofs.
"""

import pytest
from answers import HOST, ID, LOGS, VALUES, closed
from hypothesis import given, settings
from hypothesis import strategies as st

from tfx.jsonbody import Json


@pytest.mark.parametrize("path", ["reports/bff/pumper", "pumpers/pumpers", "reports/reportsfacade/{}/pumpeventmetadata"])
@settings(max_examples=12)
@given(value=VALUES, status=st.sampled_from([200, 200, 404, 500]))
def test_any_answer(path: str, value: Json, status: int) -> None:
    closed(f"{HOST}/{path.format(ID)}" if "{" in path else f"{HOST}/{path}/{ID}", value, status)


@settings(max_examples=20)
@given(value=LOGS)
def test_any_list_of_events(value: Json) -> None:
    closed(f"{HOST}/reports/bff/pump-logs/{ID}", value)


@settings(max_examples=8)
@given(value=VALUES)
def test_any_token_answer(value: Json) -> None:
    # Every endpoint's rules apply to its own path only; here the point is that a token's rule meets anything.
    url = "https://tdcservices.tandemdiabetes.com/accounts/api/.well-known/openid-configuration"
    closed(url, value)
