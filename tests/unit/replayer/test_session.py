"""Signing in to a cassette: what differs in every run is bound, and must agree with itself."""

import json
import sys
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import tape

from replayer.replay import Replay
from tandem.endpoints import BY_NAME
from tandem.regions import REGIONS
from tfx import store
from tfx.codec import encoded
from tfx.errors import MismatchError, NetworkBlockedError, UnusedError
from tfx.exchange import Exchange, Headers, Request, Response, Terms
from tfx.signing import jwks, s256

US = REGIONS["us"]
FORM = Headers([("Content-Type", "application/x-www-form-urlencoded")])
LIVE = "a-live-secret-nobody-may-see"


def authorize(replay: Replay, verifier: str = LIVE, **more: str) -> Response:
    query = dict(line for line in parsed(tape.session().exchanges[2].request.url) if line[0] not in more)
    query |= {"code_challenge": s256(verifier), **more}
    return replay.answer(Request(method="GET", url=f"{BY_NAME['authorize'].url(US)}?{urlencode(query)}"))


def token(replay: Replay, verifier: str = LIVE, code: str = tape.CODE) -> Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": US.client_id,
        "code": code,
        "redirect_uri": US.redirect_uri,
        "code_verifier": verifier,
    }
    return replay.answer(Request(method="POST", url=BY_NAME["token"].url(US), headers=FORM, body=urlencode(form).encode()))


def parsed(url: str) -> list[tuple[str, str]]:
    return [(name, values[0]) for name, values in parse_qs(urlsplit(url).query).items()]


def location(response: Response) -> dict[str, list[str]]:
    return parse_qs(urlsplit(response.headers.get("Location")).query)


def claims(response: Response) -> dict[str, object]:
    key = jwt.PyJWKSet.from_dict(jwks()).keys[0].key
    found: dict[str, object] = jwt.decode(
        json.loads(response.body)["id_token"], key, algorithms=["RS256"], audience=US.client_id, issuer=US.issuer
    )
    return found


def test_anyone_can_log_in() -> None:
    body = json.dumps({"username": "me@real.example", "password": LIVE}).encode()
    request = tape.session().exchanges[1].request
    assert Replay(tape.session()).answer(replace(request, body=body)).status == 200


@pytest.mark.parametrize("body", [{"username": "x"}, {"username": "x", "password": 5}, {"username": "x", "password": "y", "mfa": "z"}])
def test_a_login_of_another_form_is_a_miss(body: dict[str, object]) -> None:
    request = tape.session().exchanges[1].request
    with pytest.raises(MismatchError, match=r"nearest: #2 .*\n    body\."):
        Replay(tape.session()).answer(replace(request, body=json.dumps(body).encode()))


def test_a_code_goes_with_the_verifier_of_the_challenge_just_sent() -> None:
    replay = Replay(tape.session())
    assert location(authorize(replay))["code"] == [tape.CODE]
    assert json.loads(token(replay).body)["access_token"] == tape.TOKEN


def test_no_code_was_handed_out_to_who_skips_authorize() -> None:
    with pytest.raises(MismatchError, match="a code that session has not handed out yet\n  what to do: ask authorize first"):
        token(Replay(tape.session()), verifier=tape.VERIFIER)
    assert token(Replay(tape.session(), signed_in=True), verifier=tape.VERIFIER).status == 200
    session = tape.session()
    assert token(Replay(tape.with_exchanges(session, *session.exchanges[4:])), verifier=tape.VERIFIER).status == 200


def test_a_verifier_of_another_challenge_is_refused_and_uses_nothing_up() -> None:
    replay = Replay(tape.session())
    authorize(replay)
    with pytest.raises(MismatchError, match=r"body\.code_verifier of the token request does not belong to a code_challenge"):
        token(replay, verifier=tape.VERIFIER)
    assert token(replay).status == 200


def test_a_code_of_somebody_else_is_refused() -> None:
    replay = Replay(tape.session())
    authorize(replay)
    with pytest.raises(MismatchError, match=r"body\.code of the token request is not the code session hands out") as caught:
        token(replay, code=LIVE)
    assert LIVE not in str(caught.value)


def test_a_state_comes_back_and_the_callback_with_it_is_on_the_cassette() -> None:
    replay = Replay(tape.session())
    response = authorize(replay, state="a b&c/é")
    assert location(response) == {
        "code": [tape.CODE],
        "scope": ["openid profile email"],
        "session_state": ["state1"],
        "iss": [US.issuer],
        "state": ["a b&c/é"],
    }
    assert replay.answer(Request(method="GET", url=response.headers.get("Location"))).status == 200


def test_a_recorded_state_is_replaced_by_the_clients_or_taken_out() -> None:
    cassette = tape.session()
    recorded = cassette.exchanges[2]
    old = recorded.response.headers.get("Location")
    headers = recorded.response.headers.replacing("Location", old.replace("&scope", "&state=recorded&scope"))
    with_state = recorded.replacing(response=replace(recorded.response, headers=headers))
    exchanges = (*cassette.exchanges[:2], with_state, *cassette.exchanges[3:])
    assert location(authorize(Replay(replace(cassette, exchanges=exchanges)), state="mine"))["state"] == ["mine"]
    assert "state" not in location(authorize(Replay(replace(cassette, exchanges=exchanges))))


@pytest.mark.parametrize("more", [{"scope": "openid"}, {"response_mode": "query"}, {"nonce": "n"}, {"state": "s"}])
def test_what_a_client_may_ask_of_authorize_besides(more: dict[str, str]) -> None:
    assert authorize(Replay(tape.session()), **more).status == 302


@pytest.mark.parametrize(
    "more", [{"client_id": US.retired_client_ids[0]}, {"code_challenge_method": "plain"}, {"redirect_uri": "https://x.example"}]
)
def test_what_the_service_would_refuse_is_a_miss(more: dict[str, str]) -> None:
    name = next(iter(more))
    with pytest.raises(MismatchError, match=rf"nearest: #3 .*\n    query\.{name}: recorded"):
        authorize(Replay(tape.session()), **more)


def test_a_nonce_comes_back_in_a_token_that_verifies() -> None:
    replay = Replay(tape.session())
    authorize(replay, nonce="nonce of this run")
    response = token(replay)
    assert claims(response)["nonce"] == "nonce of this run"
    assert response.headers.get("Content-Length") == str(len(response.body))


def test_a_recorded_nonce_is_taken_out_where_none_was_sent() -> None:
    replay = Replay(tape.session(nonce="recorded"))
    authorize(replay)
    assert "nonce" not in claims(token(replay))


def test_without_nonces_the_token_is_the_recorded_one() -> None:
    replay = Replay(tape.session())
    authorize(replay)
    assert token(replay) == tape.session().exchanges[4].response


def test_every_login_of_one_replay_gets_its_own_nonce() -> None:
    cassette = tape.session()
    replay = Replay(replace(cassette, exchanges=cassette.exchanges * 2))
    authorize(replay, "first", nonce="1")
    authorize(replay, "second", nonce="2")
    assert [claims(token(replay, word))["nonce"] for word in ("first", "second")] == ["1", "2"]


def gzipped() -> Exchange:
    headers = Headers([("Content-Type", "text/plain"), ("Content-Encoding", "gzip"), ("Content-Length", "0")])
    response = Response(status=200, reason="OK", headers=headers, body=encoded(headers, b"plain words"))
    return Exchange(
        request=Request(method="GET", url="https://example.org/", headers=Headers([("Accept-Encoding", "gzip, deflate")])),
        response=response,
    )


@pytest.mark.parametrize(
    ("wish", "coded", "why"),
    [
        ("gzip, deflate", True, "as recorded"),
        ("br, gzip;q=0.5", True, "named"),
        ("*", True, "anything"),
        ("identity", False, "what urllib.request sends"),
        ("gzip;q=0", False, "ruled out"),
        ("", False, "not asked for"),
    ],
)
def test_a_client_gets_the_coding_it_asks_for(wish: str, coded: bool, why: str) -> None:
    cassette = replace(tape.session(), exchanges=(gzipped(),))
    response = Replay(cassette).answer(Request(method="GET", url="https://example.org/", headers=Headers([("Accept-Encoding", wish)])))
    assert ("content-encoding" in response.headers) is coded, why
    assert (response.body == b"plain words") is not coded
    assert coded or response.headers.get("Content-Length") == "11"


def test_eight_threads_get_each_answer_once() -> None:
    answers = [tape.exchange("GET", f"https://example.org/{number % 10}", answer=str(number).encode()) for number in range(400)]
    replay = Replay(replace(tape.session(), exchanges=tuple(answers)))
    got: list[bytes] = []

    def ask(thread: int) -> None:
        for number in range(50):
            path = (number + thread) % 10
            body = replay.answer(Request(method="GET", url=f"https://example.org/{path}")).body
            assert int(body) % 10 == path
            got.append(body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads meet in the middle of things
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(patience)
    assert sorted(map(int, got)) == list(range(400))
    assert not replay.unused


def test_what_is_left_over_is_known_by_number_and_name() -> None:
    replay = Replay(tape.session())
    replay.answer(Request(method="GET", url="https://sso.tandemdiabetes.com/"))
    assert replay.used == (1,)
    assert replay.unused == tuple(range(2, 11))
    assert replay.label(9) == "GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{assignmentId}"
    replay.check()
    with pytest.raises(UnusedError, match=r"9 of 10 exchanges on session were not asked for, the first is #2 POST"):
        replay.check(all_used=True)


def test_a_swallowed_miss_is_remembered_until_it_is_forgiven() -> None:
    replay = Replay(tape.session())
    for _ in range(2):
        with pytest.raises(MismatchError):
            replay.answer(Request(method="GET", url="https://sso.tandemdiabetes.com/elsewhere"))
    with pytest.raises(MismatchError, match="2 requests missed; the first: no exchange on session answers"):
        replay.check()
    assert len(replay.forgive()) == 2
    replay.check()


def test_a_repr_counts_and_shows_nothing() -> None:
    assert repr(Replay(tape.session())) == "Replay(session: 0 of 10 exchanges used, 0 missed)"


def test_errors_are_none_a_client_swallows() -> None:
    import requests
    import urllib3

    for kind in (MismatchError, NetworkBlockedError):
        assert not issubclass(kind, requests.RequestException | urllib3.exceptions.HTTPError | OSError)


def test_an_answer_is_made_once_a_request_and_kept_when_it_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes answers is dear: five megabytes, or something to compress."""
    read: list[int] = []
    whole = store._Open.bytes
    monkeypatch.setattr(store, "SMALL", 0)

    def counted(self: store._Open, start: int, end: int) -> bytes:
        read.append(start)
        return whole(self, start, end)

    monkeypatch.setattr(store._Open, "bytes", counted)
    headers = Headers([("Authorization", "Bearer x"), ("Origin", US.source_url), ("Referer", US.source_url)])
    asked = Request(method="GET", url=f"{US.source_url}page", headers=headers)
    plain = Exchange(request=asked, response=Response(status=200, body=b'{"a":[1]}'), terms=Terms(repeat="last"))
    replay = Replay(store.opened(store.save(replace(tape.session(), exchanges=(plain,)), tmp_path)))
    replay.look_through()
    assert [(replay.answer(asked).body, len(read)) for _ in range(4)] == [(b'{"a":[1]}', times) for times in (1, 2, 2, 2)]
