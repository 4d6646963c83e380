"""A miss names the nearest exchanges and the first difference, says what to do, and prints no live value."""

from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
import tape

from replayer.matching import shapes
from replayer.replay import Replay
from tandem.regions import REGIONS
from tfx.errors import MismatchError
from tfx.exchange import Headers, Request, Terms

SECRET = "s3cret-of-a-live-person"
UUID = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
SSO = "https://sso.tandemdiabetes.com"


def miss(request: Request, replay: Replay | None = None) -> str:
    with pytest.raises(MismatchError) as caught:
        (replay or Replay(tape.session(), signed_in=True)).answer(request)
    return str(caught.value)


def test_the_whole_of_a_message() -> None:
    replay = Replay(tape.session(), signed_in=True)
    replay.answer(Request(method="GET", url=f"{SSO}/"))
    line = test_the_whole_of_a_message.__code__.co_firstlineno + 2
    assert miss(Request(method="GET", url=f"{SSO}/"), replay).splitlines() == [
        "no exchange on session answers GET sso.tandemdiabetes.com/",
        f"  nearest: #1 GET sso.tandemdiabetes.com/ (already used by test_miss.py:{line})",
        "    the same request, but its answers are used up",
        ('  what to do: ask once less, or let the answer repeat: "replay": {"repeat": "last"} on #1, then tfx sanitize --edited FILE;'),
        "    or record it again with: tfx record session",
    ]


def test_where_nothing_of_the_endpoint_was_recorded_one_that_is_near_is_enough() -> None:
    assert miss(Request(method="DELETE", url=f"{SSO}/x?y=1&z=2&prompt=login")).splitlines() == [
        "no exchange on session answers DELETE sso.tandemdiabetes.com/<text>",
        "  nearest: #1 GET sso.tandemdiabetes.com/ (not used yet)",
        "    method: recorded GET, asked DELETE",
        "    url.path: recorded /, asked /<text>",
        "    query.<another name>: recorded <absent>, asked <number>",
        "    and 2 more",
        "  live: most likely a 404, but none was recorded",
        (
            "  what to do: tfx knows no such path of the service; put it right, or, if it is a new one, "
            "record it again with: tfx record session"
        ),
    ]


def changed(number: int, old: str, new: str) -> Request:
    request = tape.session().exchanges[number - 1].request
    assert old in request.url or old.encode() in request.body
    return replace(request, url=request.url.replace(old, new), body=request.body.replace(old.encode(), new.encode()))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            changed(8, tape.PERSON, UUID),
            "#8 GET source.tandemdiabetes.com/api/reports/bff/pumper/{pumperId} (not used yet)\n    path.pumperId",
        ),
        (changed(9, "2024-07-01", "2024-06-30"), "2024-06-30T00:00:00 to 2024-07-02T23:59:59 reaches outside"),
        (changed(9, f"pumperId={tape.PERSON}", f"pumperId={UUID}"), f"query.pumperId: recorded {tape.PERSON}, asked <uuid>"),
        (changed(8, tape.PERSON, f"{tape.PERSON}?{SECRET}=1"), "query.<another name>: recorded <absent>, asked <number>"),
        (changed(8, tape.PERSON, f"{tape.PERSON}?eventIds=5"), "query.eventIds: recorded <absent>, asked <number>"),
        (changed(3, "scope=", "prompt=&scope="), "query.prompt: recorded <absent>, asked <blank>"),
        (changed(3, "scope=", "prompt&scope="), "query.prompt: recorded <absent>, asked <no value>"),
        (changed(3, "scope=", "prompt=login&scope="), "query.prompt: recorded <absent>, asked <text>"),
        (changed(5, "authorization_code", SECRET), "body.grant_type: recorded authorization_code, asked <text>"),
        (changed(2, '"password"', f'"{SECRET}"'), "body.password: recorded *, asked <absent>"),
    ],
)
def test_the_first_difference_is_named_by_its_path(request_: Request, words: str) -> None:
    assert words in miss(request_)


@pytest.mark.parametrize(
    ("part", "request_"),
    [
        ("host", Request(method="GET", url=f"https://{SECRET}.example/")),
        ("user and password", Request(method="GET", url=f"https://user:{SECRET}@sso.tandemdiabetes.com/")),
        ("scheme", Request(method="GET", url="http://sso.tandemdiabetes.com/")),
        ("path", Request(method="GET", url=f"{SSO}/{SECRET}/x")),
        ("encoded path", Request(method="GET", url=f"{SSO}/{quote(SECRET + '/é')}")),
        ("query value", Request(method="GET", url=f"{SSO}/?a={SECRET}")),
        ("query name", Request(method="GET", url=f"{SSO}/?{SECRET}=a&{SECRET}")),
        ("form value", changed(5, "authorization_code", SECRET)),
        ("form name", changed(5, "grant_type", SECRET)),
        ("json value", changed(2, '"password1"', f'["{SECRET}"]')),
        ("json name", changed(2, "{", f'{{"{SECRET}": 1, ')),
        ("broken json", changed(2, "{", f"{SECRET}")),
        ("content type", replace(tape.session().exchanges[1].request, headers=Headers([("Content-Type", f"text/{SECRET}")]))),
        ("method", Request(method=SECRET.upper(), url=f"{SSO}/")),
        ("identifier", changed(8, tape.PERSON, SECRET)),
        ("verifier", changed(5, tape.VERIFIER, SECRET)),
        ("code", changed(5, f"code={tape.CODE}", f"code={SECRET}")),
        ("date that is none", changed(9, "2024-07-01T", f"{SECRET}T")),
        ("a key there is none of", changed(9, "startDate", f"{SECRET}={SECRET}&startDate")),
    ],
)
def test_no_live_value_is_printed(part: str, request_: Request) -> None:
    message = miss(request_, Replay(tape.session(), strict_windows=True, signed_in=True))
    assert SECRET.lower() not in message.lower(), part
    assert "s3cret" not in message.lower(), part


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "<blank>"),
        (None, "<nothing>"),
        (UUID, "<uuid>"),
        ("2025-01-08", "<date>"),
        ("2025-01-08T10:00:00Z", "<time>"),
        ("12345678", "<number>"),
        ("-1.5", "<number>"),
        ("1,2,3", "<numbers>"),
        ("eyJhbGciOiJub25lIn0.e30.", "<jwt>"),
        ("a@b.example", "<e-mail address>"),
        ("https://x.example/y", "<url>"),
        ("José", "<text>"),
        (True, "<true or false>"),
        (5, "<number>"),
        ({}, "<object>"),
        ([], "<list>"),
    ],
)
def test_the_shape_of_a_value(value: object, expected: str) -> None:
    assert shapes.shape(value) == expected


def test_only_the_dates_of_a_window_are_shown_as_asked() -> None:
    assert shapes.asked("query.startDate", "2025-01-08T00:00:00Z") == "2025-01-08T00:00:00Z"
    assert shapes.asked("query.startDate", f"2025-01-08 {SECRET}") == "<text>"
    assert shapes.asked("query.dateOfBirth", "2025-01-08") == "<date>"


def test_long_recorded_values_are_cut() -> None:
    assert shapes.recorded("x" * 100) == "x" * 60 + "..."


def test_ignored_places_are_no_differences() -> None:
    logs = tape.session().exchanges[8]
    loose = type(logs)(request=logs.request, response=logs.response, terms=Terms(ignore=("query.startDate", "header.content-type")))
    replay = Replay(replace(tape.session(), exchanges=(loose,)), strict_windows=True, signed_in=True)
    assert "query.endDate: recorded 2024-07-02T23:59:59Z" in miss(changed(9, "07-02", "09-02"), replay)


def test_a_state_the_replay_is_not_in_is_named() -> None:
    first = tape.session().exchanges[0]
    later = type(first)(request=first.request, response=first.response, terms=Terms(when="signed-in"))
    said = miss(first.request, Replay(tape.with_exchanges(tape.session(), later), signed_in=True))
    assert "#1 GET sso.tandemdiabetes.com/ (not used yet)\n    state: recorded signed-in, asked start" in said
    assert 'ask first for an exchange that leads to signed-in ("then" on the cassette)' in said


@pytest.mark.parametrize(
    ("first", "last", "strict", "words"),
    [
        (
            "2024-07-02T00:00:00Z",
            "2024-07-01T00:00:00Z",
            False,
            "ends before it begins; put the earlier of the two into startDate, the later",
        ),
        (
            "2024-07-01",
            "2024-07-02T00:00:00Z",
            True,
            "query.startDate is a date, and the service takes instants only: ask for 2024-07-01T00:",
        ),
        (
            "2024-07-01T00:00:00Z",
            "2024-07-02",
            True,
            "query.endDate is a date, and the service takes instants only: ask for 2024-07-02T23:",
        ),
        ("2024-07-01T00:00:00Z", SECRET, True, "query.endDate is not one of the service's instants, and is refused with 400; write it as"),
        ("2024-07-01T00:00:00Z", "", True, "query.endDate is not one of the service's instants"),
        (
            "2024-07-01T00:00:00Z",
            "2024-07-32T00:00:00Z",
            True,
            "query.endDate is not an existing day or time; write instants (recorded: 2024-",
        ),
        (
            "2024-07-01T00:00:00Z",
            "2024-07-01T00:00:00Z",
            True,
            "strict_windows answers the recorded windows alone; ask for one of them, or",
        ),
    ],
)
def test_what_is_wrong_with_a_window(first: str, last: str, strict: bool, words: str) -> None:
    query = urlencode({"pumperId": tape.PERSON, "startDate": first, "endDate": last})
    request = tape.session().exchanges[8].request
    asked = replace(request, url=f"{request.url.partition('?')[0]}?{query}")
    assert f"what to do: {'the window ' * (not strict and 'ends' in words)}{words}" in miss(
        asked, Replay(tape.session(), strict_windows=strict, signed_in=True)
    )


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (
            "2024-05-03",
            "2024-05-02",
            "query.startDate is a date, and the service takes instants only: ask for 2024-05-03T00:00:00Z (such as 20",
        ),
        ("2024-05-01T00:00:00Z", "2024-05-02", "takes instants only: ask for 2024-05-02T23:59:59Z (such as 2024-07-02T00:00:00Z)"),
        ("2024-05-01T00:00:00Z", "x", "refused with 400; write it as 2024-07-02T00:00:00Z"),
        ("2024-05-01T00:00:00Z", "2024-07-32T00:00:00Z", "not an existing day or time; write instants (such as 2024-07-02T00:00:00Z)"),
    ],
)
def test_a_window_recorded_wrong_is_no_example(first: str, last: str, words: str) -> None:
    def of(start: str, end: str) -> Request:
        return replace(logs.request, url=f"{logs.request.url.partition('?')[0]}?{urlencode({'startDate': start, 'endDate': end})}")

    logs = tape.session().exchanges[8]
    wrong = type(logs)(request=of("2024-05-01", "2024-05-02"), response=logs.response)
    replay = Replay(replace(tape.session(), exchanges=(wrong,)), strict_windows=True, signed_in=True)
    replay.answer(wrong.request)
    said = miss(of(first, last), replay)
    assert words in said
    assert said.count("(recorded: ") == 0


def test_days_and_codes_that_can_be_derived_are_no_difference() -> None:
    strange = changed(9, tape.PUMP, UUID)
    asked = replace(strange, url=f"{strange.url.replace('2024-07-02', '2024-07-03')}&eventCodes=4")
    assert miss(asked).splitlines()[2] == f"    path.assignmentId: recorded {tape.PUMP}, asked <uuid>"
    assert "eventCodes" not in miss(asked)
    assert "query.eventCodes" in miss(asked, Replay(tape.session(), strict_windows=True, signed_in=True))


def test_what_the_cassette_holds_in_place_of_an_unknown_identifier() -> None:
    said = miss(changed(9, tape.PUMP, UUID))
    assert f"what to do: ask for assignmentId {tape.PUMP}, which the cassette holds, or record it again with: tfx record" in said


def test_where_a_swallowed_miss_was_asked_for() -> None:
    replay = Replay(tape.session(), signed_in=True)
    said = miss(Request(method="GET", url=f"{SSO}/x"), replay)
    line = miss.__code__.co_firstlineno + 2
    assert replay.misses[0] == said.replace("/<text>\n", f"/<text>, at test_miss.py:{line}\n", 1)


def test_what_a_stranger_hears() -> None:
    us, eu = REGIONS["us"], REGIONS["eu"]
    old = f"client_id={us.retired_client_ids[0]}"
    token, foreign = changed(5, f"client_id={us.client_id}", old), Request(method="GET", url="https://example.org/x")
    as_eu = changed(3, f"client_id={us.client_id}", f"client_id={eu.client_id}")
    logs = replace(changed(9, us.source_url, eu.source_url), headers=Headers(tape.data_headers("eu")))
    told = {
        "an old client id": (
            changed(3, f"client_id={us.client_id}", old),
            "the client id is that of era 2025; serve it the cassette as",
        ),
        "at the token endpoint": (token, "--as-era 2025, in tests as_era='2025'"),
        "the client of another cloud": (as_eu, "the client is of region eu and the cassette of region us; configure the client"),
        "the data of another cloud": (logs, "the client is of region eu and the cassette of region us; configure the client"),
        "another host": (foreign, "tfx has only Tandem Source to answer with"),
    }
    for why, (request, words) in told.items():
        message = miss(request)
        assert words in message, why
        assert ("nearest" in message) == (why != "another host"), why
        assert "record it again" not in message, why
