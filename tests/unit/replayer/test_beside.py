"""A table of questions, each put to the stand-in and to a replay of its recording: status, headers and body are the same."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from beside import MISS, PERSON, PUMP, SOURCE, US, Client, Sight, both, recorded
from sampling import sampled

from tandem.asked import FORMS
from tandem.endpoints import BY_NAME
from tandem.eras import ERAS
from tandem.regions import SSO_URL

CODES = (
    *("399,", ",399", "256,3,", "+399", "%2B399", "%20399", "399%20", "399,399", ",", "abc", "399,abc", "-1", "0"),
    *("9999999", "9" * 20, "3.0", "1e3", "0399", "399;3", "null", "%D9%A3", "13"),
)
QUERIES = ("", "&KEY=399", "&KEY=", "&KEY=399&KEY=3", "&", "&&KEY=399", *(f"&KEY={codes}" for codes in CODES))
DATES = (
    *(
        "",
        "2026-11-01",
        "2026-11-01T00:00:00",
        "2026-11-01T00:00:00+02:00",
        "2026-11-01T00:00:00%2B02:00",
        "2026-11-01T00:00",
        "2026-11-31",
    ),
    *("2026-11-31T00:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01t00:00:00z", "2026-11-01T00:00:00.5Z", "20261101", "x", "1793491200"),
    *("2026-11-01%2000:00:00", "2026-11-01T00:00:00.1234567Z", "2026-W44-7", "01/11/2026", "%D9%A2026-11-01"),
)
"""Either end of a window, the other being as it was recorded."""
IGNORED = ("&x=1", "&eventCodes=3", "&=", "&eventIds=3&eventCodes=399", "&x")
"""What an era that does not look at other keys passes over, and the other refuses."""


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


SAME, MISSED = "the same", "a miss, and 404 live"


def window(era: str, **other: str) -> str:
    """Two days of the pump's events; `other` says how an end is spelled differently."""
    if ERAS[era].wire == "binary":
        url = BY_NAME["pump-events"].url(US, pumperId=PERSON.pumper_id, tconnectDeviceId=str(PUMP.tconnect_device_id))
        query = {"minDate": "2026-11-01", "maxDate": "2026-11-02"}
    else:
        url = BY_NAME["pump-logs"].url(US, assignmentId=PUMP.assignment_id)
        query = {"pumperId": PERSON.pumper_id, "startDate": "2026-11-01T00:00:00Z", "endDate": "2026-11-02T23:59:59Z"}
    return f"{url}?{'&'.join(f'{name}={value}' for name, value in {**query, **other}.items())}"


def questions(era: str) -> dict[str, tuple[str, dict[str, str | None], str | None]]:
    """Every question of the tables by its name: the URL, what is sent differently, and the coding asked for."""
    key, url, keys = ERAS[era].events_key, window(era), FORMS["pump-events" if ERAS[era].wire == "binary" else "pump-logs"].keys
    queries = (*(QUERIES if ERAS[era].filters_events else QUERIES[:9]), *IGNORED)
    return {
        **{query: (url + query.replace("KEY", key), {}, "gzip") for query in queries},
        **{f"{name} {date!r}": (window(era, **{name: date}), {}, "gzip") for name in keys for date in DATES},
        **{f"no {name}": (window(era).replace(f"{name}=", "other="), {}, "gzip") for name in keys},
        "everything wrong": (f"{window(era, **dict.fromkeys(keys, 'x'))}&{key}=abc", {}, "gzip"),
        "too long": (url.replace("startDate=2026-11", "startDate=2026-09"), {}, "gzip"),
        **{name: (url, lines, "gzip") for name, lines in SENT.items()},
        **{f"{coding}, long": (url, {}, coding) for coding in CODINGS},
        **{f"{coding}, short": (f"{url}&{key}=6", {}, coding) for coding in CODINGS},
    }


def asked(recorded_in: str, era: str) -> tuple[dict[str, Sight], dict[str, Sight]]:
    """Every question of the tables, of the stand-in and of the recording."""
    all_of_them = questions(era)

    def walk(client: Client, _clock: object) -> None:
        client.log_in()
        client.authorize()
        client.seen.clear()
        for url, lines, coding in all_of_them.values():
            client.data(url, lines, coding=coding)

    live, replayed = both(recorded(recorded_in, "last"), walk, era)
    return dict(zip(all_of_them, live, strict=True)), dict(zip(all_of_them, replayed, strict=True))


def parted(live: dict[str, Sight], replayed: dict[str, Sight]) -> Iterator[str]:
    """Where they part."""
    for label, sight in live.items():
        if sight != replayed[label]:
            places = [f"{str(one)[:200]} | {str(other)[:200]}" for one, other in zip(sight, replayed[label], strict=True) if one != other]
            yield f"{label}: {'a miss' if replayed[label][0] == MISS else places}"


@pytest.mark.parametrize(("recorded_in", "era"), sampled(("2025", "2026-10"), rest=[*((era, era) for era in ERAS), ("2026-10", "2026-07")]))
def test_every_question_about_events_is_answered_as_by_the_service(recorded_in: str, era: str) -> None:
    live, replayed = asked(recorded_in, era)
    assert [*parted(live, replayed)] == []


Change = Callable[[str], str]


def part(name: str, change: Change) -> Change:
    """A URL with one part of it changed."""
    return lambda url: urlsplit(url)._replace(**{name: change(getattr(urlsplit(url), name))}).geturl()


ELSEWHERE: dict[str, tuple[str, Change, dict[str, str | None], str]] = {
    **{f"{method} instead": (method, str, {}, MISSED) for method in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH")},
    "a slash behind": ("GET", part("path", "{}/".format), {}, MISSED),
    "two slashes": ("GET", part("path", "/{}".format), {}, MISSED),
    "a path in capitals": ("GET", part("path", str.upper), {}, MISSED),
    "a slash in percent": ("GET", part("path", lambda path: path.replace("/reports", "%2Freports")), {}, MISSED),
    "another port": ("GET", part("netloc", "{}:444".format), {}, MISSED),
    "a dot behind the host": ("GET", part("netloc", "{}.".format), {}, MISSED),
    "another scheme": ("GET", part("scheme", lambda _scheme: "http"), {}, MISSED),
    "letters in percent": ("GET", part("path", lambda path: path.replace("-", "%2d").replace("p", "%70")), {}, SAME),
    "letters in percent, and no token": ("GET", part("path", lambda path: path.replace("p", "%70")), {"Authorization": None}, SAME),
    "a host in capitals": ("GET", part("netloc", str.upper), {}, SAME),
    "the port there is": ("GET", part("netloc", "{}:443".format), {}, SAME),
    "a fragment": ("GET", part("fragment", lambda _fragment: "x"), {}, SAME),
    "a method in small letters": ("get", str, {}, SAME),
    "any tag": ("GET", str, {"If-None-Match": "*"}, SAME),
    "since when": ("GET", str, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, SAME),
    "a range": ("GET", str, {"Range": "bytes=0-9"}, SAME),
    "html": ("GET", str, {"Accept": "text/html"}, SAME),
    "headers in small letters": (
        "GET",
        str,
        {
            **dict.fromkeys(("Authorization", "Origin", "Referer")),
            "authorization": "Bearer TOKEN",
            "origin": SOURCE,
            "referer": f"{SOURCE}/",
        },
        SAME,
    ),
    "a connection that ends": ("GET", str, {"Connection": "close"}, SAME),
    "another origin": ("GET", str, {"Origin": "https://other.example"}, SAME),
    "nobody": ("GET", str, {"Authorization": None, "Origin": None}, SAME),
}


@pytest.mark.parametrize("era", ERAS)
def test_every_endpoint_is_as_particular_as_the_service_or_misses_what_it_says_404_to(era: str) -> None:
    taped = recorded(era, "last")
    urls = [
        one.request.url
        for one in taped.exchanges
        if one.request.method == "GET" and not one.request.headers.get("Referer").startswith(SSO_URL)
    ]
    rows = [(name, url, *row) for url in urls for name, row in ELSEWHERE.items() if row[1] is str or row[3] == SAME or row[1](url) != url]

    def walk(client: Client, _clock: object) -> None:
        client.log_in()
        client.authorize()
        client.seen.clear()
        for _, url, method, change, lines, _ in rows:
            client.data(change(url), lines, method=method)

    live, replayed = both(taped, walk, era)
    found = [
        SAME if one == other else MISSED if (one[0], other[0]) == (404, MISS) else "" for one, other in zip(live, replayed, strict=True)
    ]
    assert [(name, urlsplit(url).path, how) for (name, url, *_, how), got in zip(rows, found, strict=True) if how != got] == []


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
