"""A request is answered by the exchange it equals, and by no other."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import flips
import pytest
import tape
from flips import at
from hypothesis import given
from hypothesis import strategies as st

from replayer.matching.keys import key, question_of
from replayer.programs.served import NOT_ON_IT, reply
from replayer.replay import Replay
from tfx.cassette import Cassette
from tfx.errors import CassetteError, MismatchError
from tfx.exchange import Exchange, Headers, Request, Terms
from tfx.store import load

JSON = (("Content-Type", "application/json"),)
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
HOST = "https://example.org"


def same(one: Request, other: Request) -> bool:
    return key(question_of(one)) == key(question_of(other))


def get(url: str) -> Request:
    return Request(method="GET", url=HOST + url)


def post(body: bytes, headers: tuple[tuple[str, str], ...]) -> Request:
    return Request(method="POST", url=HOST, headers=Headers(headers), body=body)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("/a?x=1&y=2", "/a?y=2&x=1", "the order of names does not count"),
        ("/a?x=%3A", "/a?x=:", "percent-encoding is spelling"),
        ("/a?x=%3a", "/a?x=%3A", "hex digits have no case"),
        ("/a?x=b+c", "/a?x=b%20c", "a plus is a space in a query"),
        ("/%61", "/a", "percent-encoding is spelling in paths too"),
        ("/a#top", "/a", "a fragment is never sent"),
        ("", "/", "no path is the root"),
    ],
)
def test_spellings_of_one_request_are_equal(one: str, other: str, why: str) -> None:
    assert same(get(one), get(other)), why


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("/a?x=1", "/a?x=1&y=2", "an extra name"),
        ("/a?x=1", "/a?x=1&x=1", "an extra value"),
        ("/a?x=1&x=2", "/a?x=2&x=1", "the order of values under one name counts"),
        ("/a?x=", "/a", "a blank is a value"),
        ("/a?x", "/a?x=", "no value is not a blank one"),
        ("/a?", "/a?&", "an empty piece"),
        ("/A", "/a", "paths have case"),
        ("/a?X=1", "/a?x=1", "names have case"),
        ("/a?x=A", "/a?x=a", "values have case"),
        ("/a%2Fb", "/a/b", "an encoded slash is no separator"),
        ("/a+b", "/a%20b", "a plus is a plus in a path"),
        ("/a/", "/a", "a closing slash"),
    ],
)
def test_different_requests_are_not_equal(one: str, other: str, why: str) -> None:
    assert not same(get(one), get(other)), why


@pytest.mark.parametrize(
    ("url", "other", "equal"),
    [
        ("https://example.org:443/", "https://example.org/", True),
        ("https://EXAMPLE.org/", "https://example.org/", True),
        ("https://example.org:444/", "https://example.org/", False),
        ("http://example.org/", "https://example.org/", False),
        ("https://user:pw@example.org/", "https://example.org/", False),
    ],
)
def test_where_a_request_goes(url: str, other: str, equal: bool) -> None:
    assert same(Request(method="GET", url=url), Request(method="GET", url=other)) is equal


@pytest.mark.parametrize(
    ("one", "other", "equal", "why"),
    [
        (b'{"a": 1, "b": 2}', b'{"b":2,"a":1}', True, "the order of members does not count"),
        (b'{"a": 1}', b'{"a": 1.0}', False, "a whole number is not a float"),
        (b'{"a": 1}', b'{"a": true}', False, "Python holds 1 and True equal, JSON does not"),
        (b'{"a": [1, 2]}', b'{"a": [2, 1]}', False, "the order of a list counts"),
        (b'{"a": null}', b"{}", False, "null is a value"),
        (b'{"a": "\\u00e9"}', b'{"a": "\xc3\xa9"}', True, "an escape is spelling"),
        (b'{"a": 1, "a": 2}', b'{"a": 2}', False, "a doubled member is no JSON: its bytes count"),
    ],
)
def test_json_bodies_are_compared_by_value(one: bytes, other: bytes, equal: bool, why: str) -> None:
    assert same(post(one, JSON), post(other, JSON)) is equal, why


def test_forms_are_compared_like_queries_and_other_bodies_by_their_bytes() -> None:
    assert same(post(b"a=1&b=%20", FORM), post(b"b=+&a=1", FORM))
    assert not same(post(b"a=1", FORM), post(b"a=1", JSON))
    assert not same(post(b"a=1&b=2", ()), post(b"b=2&a=1", ()))


def test_multipart_bodies_are_equal_whatever_their_boundary() -> None:
    def part(boundary: str, word: str) -> Request:
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n{word}\r\n--{boundary}--\r\n'.encode()
        return post(body, (("Content-Type", f"multipart/form-data; boundary={boundary}"),))

    assert same(part("one", "x"), part("two", "x"))
    assert not same(part("one", "x"), part("one", "y"))
    # A boundary is one only where a line begins with it.
    assert not same(part("x", "-x"), part("y", "-y"))
    assert not same(part("x", "--x-"), part("y", "--y-"))


SPELLINGS = st.builds(
    lambda method, path, pieces, end, body: Request(method=method, url=HOST + path + "&".join(pieces) + end, body=body),
    st.sampled_from(["GET", "get", "POST"]),
    st.sampled_from(["", "/", "/a", "/%61", "/a?", "/?", "?"]),
    st.lists(st.sampled_from(["x=1", "x=%31", "y=2", "x", "x=", "a+b=c", "a%20b=c", "\u00e9=1"]), max_size=3),
    st.sampled_from(["", "", "#top", "#a?b", " ", "\t"]),
    st.sampled_from([b"", b"", b"z"]),
)


@given(st.lists(SPELLINGS, min_size=1, max_size=5), st.lists(SPELLINGS, max_size=4), st.randoms(use_true_random=False))
def test_the_index_finds_what_a_walk_over_the_exchanges_finds(recorded: list[Request], others: list[Request], chance: Random) -> None:
    exchanges = [tape.exchange("GET", HOST, answer=b"%d" % number).replacing(request=one) for number, one in enumerate(recorded)]
    replay, left = Replay(cassette_of(*exchanges)), list(enumerate(recorded))
    for asked in chance.sample([*recorded, *recorded, *others], 2 * len(recorded) + len(others)):
        found = next((one for one in left if same(one[1], asked)), None)
        if found:
            left.remove(found)
            assert replay.answer(asked).body == b"%d" % found[0]
        else:
            with pytest.raises(MismatchError):
                replay.answer(asked)


COMMITTED = [load(path) for path in sorted((Path(__file__).parents[3] / "cassettes").glob("*.json"))]
PLACES = [
    (cassette, number, part, at)
    for cassette in (tape.session(), *COMMITTED)
    for number, exchange in enumerate(cassette.exchanges)
    for part, at in flips.places(exchange)
]


@given(place=st.sampled_from(PLACES), mask=st.sampled_from(flips.MASKS))
def test_one_flipped_bit_of_a_recorded_request_is_a_miss_that_names_the_place(place: tuple[Cassette, int, str, int], mask: int) -> None:
    cassette, number, part, at = place
    flips.tried(flips.at(cassette, number), number, flips.flipped(cassette.exchanges[number].request, part, at, mask))


@pytest.mark.parametrize(
    ("host", "answered", "why"),
    [
        ("sso.tandemdiabetes.com", True, "its own, as every client sends it"),
        ("SSO.TandemDiabetes.com:443", True, "a host has no case, and 443 goes without saying"),
        ("", True, "HTTP/1.0 has none"),
        ("evil.example", False, "another site on the same connection"),
        ("sso.eu.tandemdiabetes.com", False, "the other cloud"),
        ("sso.tandemdiabetes.com:444", False, "another port"),
        ("sso.tandemdiabetes.com/\x00[", False, "no host at all"),
    ],
)
def test_a_request_goes_to_the_host_its_header_names(host: str, answered: bool, why: str) -> None:
    replay = Replay(tape.session())
    asked = Request(method="GET", url="https://sso.tandemdiabetes.com/", headers=Headers([("Host", host)]))
    with nullcontext() if answered else pytest.raises(MismatchError, match=r"url\.host"):
        assert replay.answer(asked).status == 200, why


@pytest.mark.parametrize("name", ["scope", "state", "nonce", "response_mode", "code_challenge"])
def test_what_any_client_may_send_it_may_not_send_twice(name: str) -> None:
    replay = at(tape.session(), 2)
    asked = tape.session().exchanges[2].request
    once = f"{asked.url}&{name}=x" if f"{name}=" not in asked.url else asked.url
    with pytest.raises(MismatchError, match=r"query\."):
        replay.answer(replace(asked, url=f"{once}&{name}=x"))


def test_a_number_python_does_not_read_is_a_miss_like_any_other_body() -> None:
    login = tape.session().exchanges[1].request
    replay, huge = Replay(tape.session()), b'{"username": ' + b"9" * 6000 + b', "password": "p"}'
    with pytest.raises(MismatchError, match="body: recorded <json>, asked <bytes>"):
        replay.answer(replace(login, body=huge))
    assert reply(replay, replace(login, body=huge)).response.status == NOT_ON_IT
    assert len(replay.misses) == 2


def test_each_answer_is_given_once_in_the_order_recorded_and_then_no_more() -> None:
    replay = Replay(cassette_of(*(tape.exchange("GET", HOST, answer=bytes([word])) for word in b"abc")))
    assert [replay.answer(get("")).body for _ in range(3)] == [b"a", b"b", b"c"]
    with pytest.raises(MismatchError, match="its answers are used up"):
        replay.answer(get(""))


@pytest.mark.parametrize(("repeat", "expected"), [("last", b"abccc"), ("cycle", b"abcab")])
def test_an_exhausted_exchange_goes_on_only_if_its_terms_say_so(repeat: str, expected: bytes) -> None:
    terms = Terms(repeat="last" if repeat == "last" else "cycle")
    exchanges = [with_terms(tape.exchange("GET", HOST, answer=bytes([word])), terms) for word in b"abc"]
    replay = Replay(cassette_of(*exchanges))
    assert b"".join(replay.answer(get("")).body for _ in expected) == expected


def test_whichever_of_several_answers_says_so_they_go_on() -> None:
    terms = (Terms(), Terms(repeat="last"), Terms())
    exchanges = [with_terms(tape.exchange("GET", HOST, answer=bytes([word])), said) for word, said in zip(b"abc", terms, strict=True)]
    replay = Replay(cassette_of(*exchanges))
    assert b"".join(replay.answer(get("")).body for _ in range(5)) == b"abccc"


@pytest.mark.parametrize(
    ("ignore", "url", "answered"),
    [
        (("query.x",), "/a?x=9&y=1", True),
        (("query.x",), "/a?y=1", True),
        (("query.x",), "/a?x=9&y=2", False),
        (("query",), "/a?z=1", True),
        (("path",), "/b?x=1&y=1", True),
        ((), "/a?x=9&y=1", False),
    ],
)
def test_a_place_is_loosened_only_by_name(ignore: tuple[str, ...], url: str, answered: bool) -> None:
    replay = Replay(cassette_of(with_terms(tape.exchange("GET", f"{HOST}/a?x=1&y=1"), Terms(ignore=ignore))))
    if answered:
        assert replay.answer(get(url)).status == 200
    else:
        with pytest.raises(MismatchError):
            replay.answer(get(url))


def test_a_place_that_is_never_compared_cannot_be_loosened() -> None:
    with pytest.raises(CassetteError, match="#1 ignores a place that replay does not compare"):
        Replay(cassette_of(with_terms(tape.exchange("GET", HOST), Terms(ignore=("header.user-agent",)))))


def test_members_of_a_json_body_and_identifiers_in_a_path_can_be_loosened() -> None:
    login = tape.session().exchanges[1]
    body = json.dumps({"username": "x", "password": "y", "remember": True}).encode()
    loosened = with_terms(login, Terms(ignore=("body.remember",)))
    assert Replay(cassette_of(loosened)).answer(replace(login.request, body=body)).status == 200
    logs = tape.session().exchanges[-1]
    parts = urlsplit(logs.request.url)
    other = urlunsplit(parts._replace(path=parts.path[:-1] + "9"))
    assert (
        Replay(cassette_of(with_terms(logs, Terms(ignore=("path.assignmentId",))))).answer(replace(logs.request, url=other)).status == 200
    )


def test_headers_are_not_compared() -> None:
    replay = Replay(cassette_of(tape.exchange("GET", HOST, sent=(("User-Agent", "one"), ("Cookie", "a=b")))))
    assert replay.answer(Request(method="GET", url=HOST, headers=Headers([("User-Agent", "two")]))).status == 200


@pytest.mark.parametrize(
    ("without", "era", "status"),
    [
        ((), "2026-10", 200),
        (("Authorization",), "2026-10", 401),
        (("Origin",), "2026-10", 403),
        (("Referer",), "2026-07", 403),
        (("Origin", "Authorization"), "2026-10", 403),  # the firewall stands before the service
    ],
)
def test_the_service_decides_by_three_headers_only(without: tuple[str, ...], era: str, status: int) -> None:
    cassette = tape.session(era)
    request = cassette.exchanges[7].request
    replay = Replay(cassette, signed_in=True)
    assert replay.answer(replace(request, headers=request.headers.without(*without))).status == status
    assert not replay.misses
    assert replay.used == ((8,) if status == 200 else ())


def test_before_the_firewall_came_origin_did_not_matter() -> None:
    cassette = tape.session("2025")
    request = cassette.exchanges[-1].request
    assert Replay(cassette, signed_in=True).answer(replace(request, headers=request.headers.without("Origin", "Referer"))).status == 200


def test_a_recorded_refusal_is_answered_to_whoever_is_refused_and_to_nobody_else() -> None:
    good = tape.session().exchanges[7]
    bare = replace(good.request, headers=Headers([("Authorization", "Bearer x")]))
    refused = Exchange(request=bare, response=replace(good.response, status=403, body=b"recorded refusal"))
    replay = Replay(cassette_of(refused, good))
    assert replay.answer(good.request).status == 200
    assert replay.answer(bare).body == b"recorded refusal"


def cassette_of(*exchanges: Exchange) -> Cassette:
    return replace(tape.session(), exchanges=exchanges)


def with_terms(exchange: Exchange, terms: Terms) -> Exchange:
    return Exchange(request=exchange.request, response=exchange.response, terms=terms)
