"""What a session keeps quiet about, and what it need not ask for again."""

import logging

import pytest

from recorder.session import is_had
from tandem.quiet import quiet
from tfx.exchange import Exchange, Request, Response

SOURCE = "https://source.tandemdiabetes.com/api"


def test_no_log_line_names_a_url(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    with caplog.at_level(logging.DEBUG):
        with quiet():
            logger.warning("https://host/?code=secret")
        logger.warning("afterwards")
    assert caplog.messages == ["afterwards"]


@pytest.mark.parametrize(
    ("method", "url", "status", "had", "why"),
    [
        ("GET", f"{SOURCE}/reports/bff/pumper/p", 200, True, "the pumps"),
        ("GET", f"{SOURCE}/reports/bff/pump-logs/a?startDate=x", 200, True, "a window"),
        ("GET", f"{SOURCE}/reports/reportsfacade/pumpevents/p/1", 200, True, "a window of era 2025"),
        ("GET", f"{SOURCE}/reports/bff/pumper/p", 500, False, "no answer"),
        ("GET", "https://sso.tandemdiabetes.com/", 200, False, "a sign-in is made anew"),
        ("GET", "https://source.eu.tandemdiabetes.com/authorize/callback?code=1", 200, False, "its callback too"),
        ("GET", "https://elsewhere.example/", 200, False, "not Tandem Source"),
    ],
)
def test_data_is_not_asked_for_twice_and_sign_ins_are(method: str, url: str, status: int, had: bool, why: str) -> None:
    assert is_had(Exchange(request=Request(method=method, url=url), response=Response(status=status))) is had, why
