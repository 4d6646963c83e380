"""Any credentials sign in to a cassette, and without signing in there is no data: as the simulated service does."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import tape
import time_machine
from beside import PERSON, US, Client, both, recorded
from forking import forked

from replayer.replay import Replay
from replayer.session import offline
from simulator.login import SESSION_COOKIE
from tandem.endpoints import BY_NAME
from tandem.regions import REGIONS
from tfx.cassette import Cassette
from tfx.errors import MismatchError
from tfx.exchange import Headers, Request, Response

ACCOUNT = BY_NAME["pumpers"].url(US, pumperId=PERSON.pumper_id)
LIVE = "a-live-secret-nobody-may-see"


def nothing(_client: Client) -> None:
    """As every client does it."""


def no_cookies(client: Client) -> None:
    client.cookies.clear()


def other_cookies(client: Client) -> None:
    client.cookies = dict.fromkeys(client.cookies, LIVE)


def only_the_session(client: Client) -> None:
    client.cookies = {SESSION_COOKIE: client.cookies[SESSION_COOKIE]}


def all_but_the_session(client: Client) -> None:
    del client.cookies[SESSION_COOKIE]


@pytest.fixture(scope="module")
def cassette() -> Cassette:
    return recorded()


@pytest.mark.parametrize(
    ("change", "signs_in", "why"),
    [
        (nothing, True, "as recorded"),
        (only_the_session, True, "the other cookies are not what lets in"),
        (no_cookies, False, "nobody is signed in"),
        (other_cookies, False, "somebody of another day is"),
        (all_but_the_session, False, "the one that scripts may read tells nothing"),
    ],
)
def test_authorize_sends_who_is_not_signed_in_back_as_the_service_does(
    cassette: Cassette, change: Callable[[Client], None], signs_in: bool, why: str
) -> None:
    def walk(client: Client, _clock: time_machine.Traveller) -> None:
        client.log_in()
        change(client)
        client.authorize()

    live, replayed = both(cassette, walk)
    assert replayed == live, why
    assert (len(live) == 5) is signs_in, why


@pytest.mark.parametrize(
    ("hours", "lines", "status", "why"),
    [
        (0, (), 200, "the token just handed out"),
        (7.99, (), 200, "which is good for eight hours"),
        (8, (), 401, "and not for longer"),
        (0, (("Authorization", f"Bearer {LIVE}"),), 401, "a token of an earlier run, or of anybody"),
        (0, (("Authorization", "Bearer "),), 401, "none"),
        (0, (("Authorization", "Basic eDp5"),), 401, "no token"),
        (0, (("Authorization", None),), 401, "nothing"),
    ],
)
def test_data_is_for_who_brings_a_token_that_is_good_now(
    cassette: Cassette, hours: float, lines: tuple[tuple[str, str | None], ...], status: int, why: str
) -> None:
    def walk(client: Client, clock: time_machine.Traveller) -> None:
        client.log_in()
        client.authorize()
        clock.shift(timedelta(hours=hours))
        client.data(ACCOUNT, dict(lines))

    live, replayed = both(cassette, walk)
    assert replayed == live, why
    assert live[-1][0] == status, why


def test_nothing_is_handed_out_that_was_not_asked_for(cassette: Cassette) -> None:
    """The tokens of a cassette are public; whoever brings one before it was handed out did not get it from this service."""
    replay = Replay(cassette)
    client = Client(replay.answer)
    client.bearer = cassette.exchanges[-1].request.headers.get("Authorization").partition(" ")[2]
    client.data(ACCOUNT)
    assert client.seen[-1][0] == 401
    assert replay.refused == (
        (
            f"{replay.label(9)} was answered with 401: its token was not handed out by this replay, or has expired; "
            "sign in first (signed_in accepts the cassette's own)"
        ),
    )
    assert not replay.misses
    assert not replay.used
    before = Client(Replay(cassette, signed_in=True).answer, bearer=client.bearer)
    before.data(ACCOUNT)
    assert before.seen[-1][0] == 200


def test_a_refusal_names_no_live_value(cassette: Cassette) -> None:
    replay = Replay(cassette)
    client = Client(replay.answer, cookies={SESSION_COOKIE: LIVE}, bearer=LIVE)
    client.authorize()
    client.data(ACCOUNT)
    assert len(replay.refused) == 2
    assert LIVE not in f"{replay.refused}{replay.credentials!r}"


def test_a_token_that_was_refused_stays_refused_until_somebody_signs_in_again() -> None:
    session = tape.session()
    data = session.exchanges[7]
    refused = data.replacing(response=Response(status=401))
    renewed = replace(data.request, headers=data.request.headers.replacing("Authorization", "Bearer access2"))
    token = session.exchanges[4]
    again = token.replacing(response=replace(token.response, body=token.response.body.replace(b'"access1"', b'"access2"')))
    later = data.replacing(request=renewed)
    replay = Replay(tape.with_exchanges(session, *session.exchanges[:7], refused, again, later))
    for one in session.exchanges[:7]:
        replay.answer(one.request)
    assert [replay.answer(data.request).status for _ in range(2)] == [401, 401]
    assert replay.used == (1, 2, 3, 4, 5, 6, 7, 8)
    replay.answer(again.request)
    assert replay.answer(renewed).status == 200


def test_a_token_that_was_taken_again_was_not_dead() -> None:
    """One 401 and the same token good a moment later: the service was at fault, and the cassette shows it."""
    session = tape.session()
    data = session.exchanges[7]
    replay = Replay(tape.with_exchanges(session, *session.exchanges[:7], data.replacing(response=Response(status=401)), data))
    for one in session.exchanges[:7]:
        replay.answer(one.request)
    assert [replay.answer(data.request).status for _ in range(2)] == [401, 200]


def test_a_cassette_without_a_sign_in_asks_for_none() -> None:
    data = tape.session().exchanges[7]
    assert Replay(tape.with_exchanges(tape.session(), data)).answer(data.request).status == 200


def test_cassettes_that_play_together_know_each_others_tokens() -> None:
    session = tape.session()
    behind = Replay(tape.with_exchanges(session, *session.exchanges[:7]))
    front = Replay(tape.with_exchanges(session, session.exchanges[7]), behind=behind)
    assert front.answer(session.exchanges[7].request).status == 401
    for one in session.exchanges[:7]:
        front.answer(one.request)
    assert front.answer(session.exchanges[7].request).status == 200


def test_processes_of_one_run_know_each_others_tokens(tmp_path: Path) -> None:
    session = tape.session()
    one, other = Replay(session), Replay(session)
    report = tmp_path / "report"
    report.touch()
    for exchange in session.exchanges[:5]:
        one.answer(exchange.request)
    for replay in (one, other):
        replay.credentials.share(report)
    assert other.answer(session.exchanges[7].request).status == 200
    apart = Replay(session)
    assert apart.answer(session.exchanges[7].request).status == 401


def test_a_forked_process_hears_what_its_parent_was_handed_since() -> None:
    reading, writing = os.pipe()

    def asks() -> bool:
        os.close(writing)  # or it would wait for ever for a parent that failed
        os.read(reading, 1)
        return replay.answer(tape.session().exchanges[7].request).status == 200

    with offline(tape.session()) as replay, os.fdopen(reading), os.fdopen(writing, "wb") as parent:
        is_answered = forked(asks)
        for exchange in tape.session().exchanges[:5]:
            replay.answer(exchange.request)
        parent.close()
        assert is_answered()
    assert replay.credentials.shared is None


def test_data_of_the_other_cloud_is_a_miss_and_no_refusal_whatever_origin_comes_along() -> None:
    replay = Replay(tape.session())
    lines = [("Authorization", "Bearer x"), ("Origin", US.source_url.rstrip("/")), ("Referer", US.source_url)]
    with pytest.raises(MismatchError):
        replay.answer(Request(method="GET", url=BY_NAME["pumper"].url(REGIONS["eu"], pumperId="x"), headers=Headers(lines)))
    assert (len(replay.misses), replay.refused) == (1, ())
