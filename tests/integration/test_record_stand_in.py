"""Recording sessions over real TLS with the stand-in: whole ones and unhappy ones. The command: test_record_command.py."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime

import pytest

from recorder.checkpoint import Errand
from recorder.credentials import Credentials
from recorder.session import Way, record
from simulator.account import Account, account
from simulator.proxy import StandIn, running
from tandem.endpoints import locate
from tandem.faults import Fault
from tfx.capture import Capture
from tfx.errors import BlockedError, LoginError, NetworkError, ServiceError, TfxError, UsageError
from tfx.exchange import Exchange

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
WEEK = Errand(region="us", era="2026-10", since=date(2026, 11, 12), until=date(2026, 11, 18))
LOGIN = ["sso-page", "login", "authorize", "callback-us", "token", "discovery", "jwks"]
JSON_WALK = [*LOGIN, "pumper", "pumpers", "pump-logs"]


@pytest.fixture(scope="module")
def person() -> Account:
    return account(now=NOW, days=0.25)


def names(exchanges: tuple[Exchange, ...]) -> list[str]:
    found = [locate(one.request.method, one.request.url) for one in exchanges]
    return [place.endpoint.name if place else "?" for place in found]


def recorded(  # what the tests vary
    person: Account,
    *faults: str,
    errand: Errand = WEEK,
    era: str | None = None,
    region: str | None = None,
    password: str | None = None,
    pauses: list[float] | None = None,
) -> tuple[Capture, StandIn]:
    table = [Fault.parse(text) for text in faults]
    with running(person, era=era or errand.era, region=region or person.region, now=NOW, faults=table, pause=0.001) as stand_in:
        capture = record(
            Credentials(email=person.email, password=password or person.password),
            errand,
            clock=lambda: NOW,
            way=Way(proxy=stand_in.proxy_url, ca_file=stand_in.ca_file),
            sleep=(pauses if pauses is not None else []).append,
            track=lambda _label, _total: nullcontext(lambda _steps: None),
        )
    assert stand_in.failures == ()
    return capture, stand_in


@pytest.mark.parametrize(
    ("region", "era", "walk"),
    [
        ("us", "2026-10", JSON_WALK),
        ("eu", "2026-10", [name.replace("callback-us", "callback-eu") for name in JSON_WALK]),
        ("us", "2026-07", JSON_WALK),
        ("us", "2025", [*LOGIN, "pump-event-metadata", "pumpers", "pump-events"]),
    ],
)
def test_a_whole_session(region: str, era: str, walk: list[str]) -> None:
    person = account(now=NOW, days=0.25, region=region)
    errand = Errand(region=region, era=era, since=WEEK.since, until=WEEK.until)
    capture, stand_in = recorded(person, errand=errand)
    assert names(capture.exchanges) == walk
    assert (capture.region, capture.era, capture.clock) == (region, era, NOW)
    assert [one.response.status for one in capture.exchanges] == [302 if name == "authorize" else 200 for name in walk]
    # The last word of the server and of the tape agree.
    assert [status for _, _, status in stand_in.requests] == [one.response.status for one in capture.exchanges]


@pytest.mark.parametrize("era", ["2026-10", "2025"])
def test_every_value_the_stand_in_gave_away_is_handed_to_the_sanitizer(person: Account, era: str) -> None:
    capture, stand_in = recorded(person, errand=Errand(region="us", era=era, since=WEEK.since, until=WEEK.until))
    seen = {one.value for one in capture.seen}
    wire = b"\n".join(part for one in capture.exchanges for part in _parts(one))
    missed = [one.kind for one in stand_in.secrets() if one.value.encode() in wire and one.value not in seen and len(one.value) > 3]
    assert missed == []
    assert {person.email, person.password, person.given_name, person.pumper_id} <= seen


def _parts(exchange: Exchange) -> Iterator[bytes]:
    from tfx.codec import decoded

    yield exchange.request.url.encode()
    yield exchange.request.body
    yield decoded(exchange.response.headers, exchange.response.body)
    for name, value in (*exchange.request.headers, *exchange.response.headers):
        if name.lower() != "date":
            yield value.encode()


def test_data_is_asked_for_without_the_cookies_of_the_sign_in(person: Account) -> None:
    capture, _ = recorded(person)
    has_cookie = dict(zip(names(capture.exchanges), ("Cookie" in one.request.headers for one in capture.exchanges), strict=True))
    assert has_cookie["authorize"]
    assert not has_cookie["pumper"]
    assert not has_cookie["pump-logs"]


def test_long_spans_are_cut_into_windows(person: Account) -> None:
    capture, _ = recorded(person, errand=Errand(region="us", era="2026-10", since=date(2026, 9, 1), until=WEEK.until))
    windows = [one.request.url.split("startDate=")[1] for one in capture.exchanges if "startDate" in one.request.url]
    assert windows == [
        "2026-09-01T00%3A00%3A00Z&endDate=2026-09-28T23%3A59%3A59Z",
        "2026-09-29T00%3A00%3A00Z&endDate=2026-10-26T23%3A59%3A59Z",
        "2026-10-27T00%3A00%3A00Z&endDate=2026-11-18T23%3A59%3A59Z",
    ]


def test_another_pump_is_recorded_on_request(person: Account) -> None:
    other = next(device for device in person.devices if device is not person.current)
    capture, _ = recorded(person, errand=Errand(region="us", era="2026-10", since=WEEK.since, until=WEEK.until, pump=other.serial_number))
    assert f"/pump-logs/{other.assignment_id}?" in capture.exchanges[-1].request.url


@pytest.mark.parametrize(
    ("faults", "kept", "pauses", "why"),
    [
        (("pump-logs:1:500",), [500, 200], [1.0], "a failed answer is kept, then asked again"),
        (("pump-logs:1:429", "pump-logs:2:503"), [429, 503, 200], None, "as is each of several"),
        (("pump-logs:1:reset",), [200], [1.0], "a reset leaves no answer to keep"),
        (("pump-logs:1:truncated",), [200], [1.0], "nor does half an answer"),
        (("pump-logs:1:drip",), [200], [], "a slow one is whole in the end"),
        (("login:1:reset", "token:1:500"), [200], [1.0, 1.0], "the sign-in is patient too"),
    ],
)
def test_passing_faults_are_waited_out(
    person: Account, faults: tuple[str, ...], kept: list[int], pauses: list[float] | None, why: str
) -> None:
    slept: list[float] = []
    capture, _ = recorded(person, *faults, pauses=slept)
    logs = [one for one, name in zip(capture.exchanges, names(capture.exchanges), strict=True) if name == "pump-logs"]
    assert [one.response.status for one in logs] == kept, why
    assert pauses is None or slept == pauses
    assert len(logs[-1].response.body) > 1000


def test_a_token_that_expires_is_renewed(person: Account) -> None:
    capture, _ = recorded(person, "pump-logs:1:401")
    assert names(capture.exchanges) == [*JSON_WALK, *LOGIN, "pump-logs"]
    bearers = {one.request.headers.get("Authorization") for one in capture.exchanges[-1:]}
    assert bearers.isdisjoint({one.request.headers.get("Authorization") for one in capture.exchanges[:10]})


EU = Errand(region="eu", era="2026-10", since=WEEK.since, until=WEEK.until)


@pytest.mark.parametrize(
    ("faults", "options", "kind", "words"),
    [
        ((), {"password": "wrong"}, LoginError, "Tandem Source (US) refused the e-mail address or the password, or the account lives"),
        (
            (),
            {"errand": EU},
            LoginError,
            "Tandem Source (EU) refused the e-mail address or the password, or the account lives in the other",
        ),
        ((), {"errand": EU}, LoginError, "try --region us"),
        (("login:1:403-waf",), {}, BlockedError, "the firewall in front of Tandem Source blocked the login"),
        (("pump-logs:1:403-waf",), {}, BlockedError, "blocked pump-logs; wait some minutes"),
        (("pump-logs:1:content-type",), {}, BlockedError, "blocked pump-logs"),
        (("pump-logs:1+:500",), {}, ServiceError, "answered pump-logs with status 500 5 times in a row"),
        (("pump-logs:1+:reset",), {}, NetworkError, "source.tandemdiabetes.com did not answer pump-logs"),
        ((), {"era": "2025"}, LoginError, "check --era and --region"),
        ((), {"errand": Errand(region="us", era="2025", since=WEEK.since, until=WEEK.until), "era": "2026-10"}, LoginError, "check --era"),
    ],
)
def test_refusals_are_told_in_a_sentence(
    person: Account, faults: tuple[str, ...], options: dict[str, object], kind: type[TfxError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        recorded(person, *faults, **options)  # type: ignore[arg-type]  # one option or another
    assert words in str(caught.value)
    assert caught.value.exit_code == 3
    told = repr(caught.value)
    assert not [one.kind for one in person.secrets() if len(one.value) > 3 and one.value in told]


def test_an_unknown_pump_is_refused(person: Account) -> None:
    errand = Errand(region="us", era="2026-10", since=WEEK.since, until=WEEK.until, pump="00000000")
    with pytest.raises(UsageError, match=r"the account has 3 pumps .*, none of the serial number asked for"):
        recorded(person, errand=errand)
