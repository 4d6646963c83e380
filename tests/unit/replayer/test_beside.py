"""A table of questions, each put to the stand-in and to a replay of its recording: status, headers and body are the same."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from beside import MISS, PERSON, PUMP, US, Client, Sight, both, recorded

from tandem.endpoints import BY_NAME
from tandem.eras import ERAS

CODES = (
    *("399,", ",399", "256,3,", "+399", "%2B399", "%20399", "399%20", "399,399", ",", "abc", "399,abc", "-1", "0"),
    *("9999999", "9" * 20, "3.0", "1e3", "0399", "399;3", "null", "%D9%A3", "13"),
)
QUERIES = ("", "&KEY=399", "&KEY=", "&KEY=399&KEY=3", "&", "&&KEY=399", *(f"&KEY={codes}" for codes in CODES))
IGNORED = ("&x=1", "&eventCodes=3", "&=", "&eventIds=3&eventCodes=399", "&x")
"""What an era that does not look at other keys passes over."""


SENT: dict[str, dict[str, str | None]] = {
    "no origin": {"Origin": None},
    "no referer": {"Referer": None},
    "a referer without its slash": {"Referer": US.source_url.rstrip("/")},
    "an origin with one": {"Origin": US.source_url},
    "an origin in capitals": {"Origin": US.source_url.rstrip("/").upper()},
    "no token": {"Authorization": None},
    "neither": {"Authorization": None, "Origin": None},
    "another token": {"Authorization": "Bearer abc"},
    "another scheme": {"Authorization": "Basic abc"},
    "a small scheme": {"Authorization": "bearer TOKEN"},
    "two blanks": {"Authorization": "Bearer  TOKEN"},
    "a blank behind": {"Authorization": "Bearer TOKEN "},
    "no scheme": {"Authorization": "TOKEN"},
    "a scheme alone": {"Authorization": "Bearer"},
}
CODINGS = (None, "", "identity", "gzip", "GZIP", "deflate", "br", "gzip;q=0", "gzip;q=0.5", "*", "*;q=0", "gzip, deflate, br, zstd")


def window(era: str) -> str:
    """Two days of the pump's events."""
    if ERAS[era].wire == "binary":
        url = BY_NAME["pump-events"].url(US, pumperId=PERSON.pumper_id, tconnectDeviceId=str(PUMP.tconnect_device_id))
        return f"{url}?minDate=2026-11-01&maxDate=2026-11-02"
    url = BY_NAME["pump-logs"].url(US, assignmentId=PUMP.assignment_id)
    return f"{url}?pumperId={PERSON.pumper_id}&startDate=2026-11-01T00:00:00Z&endDate=2026-11-02T23:59:59Z"


def asked(recorded_in: str, era: str) -> tuple[dict[str, Sight], dict[str, Sight]]:
    """Every question of the tables, of the stand-in and of the recording."""
    queries = QUERIES if ERAS[era].filters_events else QUERIES[:9]
    queries = queries if era == "2026-10" else (*queries, *IGNORED)

    def walk(client: Client, _clock: object) -> None:
        client.log_in()
        client.authorize()
        client.seen.clear()
        for query in queries:
            client.data(window(era) + query.replace("KEY", ERAS[era].events_key))
        for lines in SENT.values():
            client.data(url, lines)
        for coding in CODINGS:
            client.data(url, coding=coding)
            client.data(f"{url}&{ERAS[era].events_key}=6", coding=coding)

    url = window(era)
    labels = (*queries, *SENT, *(f"{coding}, {size}" for coding in CODINGS for size in ("long", "short")))
    live, replayed = both(recorded(recorded_in, "last"), walk, era)
    return dict(zip(labels, live, strict=True)), dict(zip(labels, replayed, strict=True))


def parted(live: dict[str, Sight], replayed: dict[str, Sight]) -> Iterator[str]:
    """Where they part."""
    for label, sight in live.items():
        if sight != replayed[label]:
            places = [f"{str(one)[:200]} | {str(other)[:200]}" for one, other in zip(sight, replayed[label], strict=True) if one != other]
            yield f"{label}: {'a miss' if replayed[label][0] == MISS else places}"


@pytest.mark.parametrize(("recorded_in", "era"), [*((era, era) for era in ERAS), ("2025", "2026-10"), ("2026-10", "2026-07")])
def test_every_question_about_events_is_answered_as_by_the_service(recorded_in: str, era: str) -> None:
    live, replayed = asked(recorded_in, era)
    assert [*parted(live, replayed)] == []


AUTHORIZE: dict[str, dict[str, str | None]] = {
    "as recorded": {},
    "fewer scopes": {"scope": "openid"},
    "scopes in another order": {"scope": "email openid profile"},
    "no scope": {"scope": None},
    "a scope there is none of": {"scope": "openid offline_access", "state": "x"},
    "a form instead of a redirect": {"response_mode": "form_post"},
    "the mode there is": {"response_mode": "query"},
    "an empty challenge": {"code_challenge": ""},
    "a state": {"state": "x y"},
    "an empty state": {"state": ""},
}


def test_signing_in_is_as_strict_as_the_service() -> None:
    def walk(client: Client, _clock: object) -> None:
        client.log_in()
        for other in AUTHORIZE.values():
            client.ask_for_code(**other)
            if client.code:
                client.ask_for_token()
                client.ask_for_token()  # a code is good once

    live, replayed = both(recorded("2026-10", "last"), walk)
    assert replayed == live


def test_who_signs_in_again_after_the_clock_ended_the_token_is_let_in() -> None:
    def walk(client: Client, clock: time_machine.Traveller) -> None:
        for _ in range(3):
            client.log_in()
            client.authorize()
            client.data(window("2026-10"))
            clock.shift(timedelta(hours=9))
            client.data(window("2026-10"))

    live, replayed = both(recorded(), walk)
    assert [one[0] for one in live if one[0] in (401, MISS)] == [401] * 3
    assert replayed == live
