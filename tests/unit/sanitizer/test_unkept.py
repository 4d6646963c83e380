"""What was blanked because no rule is there is looked for in all that stays, as what has a stand-in is; and short birth dates."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import jwt
import pytest
from pump_event import HTML, JSON, LOGIN, LOGS, PUMPER, SOURCE, TOKEN, event

from sanitizer.scrub import scrub
from tfx.capture import Capture, Seen
from tfx.errors import LeakError

Build = Callable[..., Capture]

NUMBER = 482913
TEXT = str(NUMBER)


KEPT = json.dumps({"events": [event(eventCode=63, eventProperties={"position": NUMBER})], "clockChanges": []}).encode()


def a_token() -> bytes:
    claims = {"iss": "https://tdcservices.tandemdiabetes.com/accounts/api", "pin": TEXT}
    return json.dumps({"id_token": jwt.encode(claims, "k" * 32, algorithm="HS256")}).encode()


def body(value: object) -> dict[str, object]:
    return {"url": PUMPER, "got": (JSON,), "answer": json.dumps(value).encode()}


def logs(*events: object) -> dict[str, object]:
    return {"url": LOGS, "got": (JSON,), "answer": json.dumps({"events": events}).encode()}


BLANKED: dict[str, dict[str, object]] = {
    "out of its domain": body({"lowGlucoseThreshold": NUMBER}),
    "a list too long": body({"pumps": [TEXT] * 200}),
    "no URL": {"url": LOGIN, "method": "POST", "got": (JSON,), "answer": json.dumps({"redirectUrl": NUMBER}).encode()},
    "a wait that nobody asked for": {"got": (HTML, ("Retry-After", TEXT))},
    "a second line": {"got": (HTML, ("WWW-Authenticate", "Bearer"), ("WWW-Authenticate", TEXT))},
    "a part of a challenge": {"status": 401, "got": (HTML, ("WWW-Authenticate", f'Bearer realm="{TEXT}"'))},
    "a page that was sent": {"sent": (HTML,), "body": TEXT.encode()},
    "a query key": {"url": f"https://sso.tandemdiabetes.com/?login={TEXT}"},
    "a key for the third time": {"url": f"{LOGS}?eventCodes=5&eventCodes=6&eventCodes={TEXT}"},
    "a link's fragment": {"got": (HTML, ("Location", f"https://sso.tandemdiabetes.com/#{TEXT}"))},
    "no event": logs(event(), NUMBER),
    "no properties": logs(event(eventProperties=[NUMBER])),
    "a property out of its domain": logs(event(eventProperties={"alarmId": NUMBER})),
    "a body of no known type": {"url": f"{SOURCE}/api/new/thing", "got": (("Content-Type", "text/plain"),), "answer": TEXT.encode()},
    "a member": body({"pin": TEXT}),
    "a number": body({"pin": NUMBER}),
    "a number with a point": body({"pin": 482913.0}),
    "in a container": body({"pin": {"a": [{"b": f"Konto {TEXT}"}]}}),
    "a member's name": body({TEXT: 1}),
    "one of many members": body({f"a{number}": [0, TEXT][number > 18] for number in range(20)}),
    "JSON in JSON": body({"pin": f'{{"n":{TEXT}}}'}),
    "not what its rule is for": body({"firstName": {"a": TEXT}}),
    "a claim": {"url": TOKEN, "method": "POST", "got": (JSON,), "answer": a_token()},
    "a request header": {"sent": (("X-Account", TEXT),)},
    "a response header": {"got": (HTML, ("X-Account", TEXT))},
    "a header's name": {"sent": ((f"X-{TEXT}", "1"),)},
    "a header that is always dropped": {"got": (HTML, ("ETag", f'"{TEXT}"'))},
    "in a word of one": {"got": (HTML, ("Server", f"srv-{TEXT}"))},
    "a cookie's attribute": {"got": (HTML, ("Set-Cookie", f"a=b; Owner={TEXT}"))},
    "a page": {"got": (HTML,), "answer": f"<html>Konto {TEXT}</html>".encode()},
    "a fragment": {"url": f"https://sso.tandemdiabetes.com/#{TEXT}"},
    "the path of an endpoint nobody knows": {"url": f"{SOURCE}/api/new/{TEXT}"},
    "its answer": {"url": f"{SOURCE}/api/new/thing", "got": (JSON,), "answer": b'{"pin":"482913"}'},
    "its page": {"url": f"{SOURCE}/api/new/thing", "got": (HTML,), "answer": TEXT.encode()},
    "its header": {"url": f"{SOURCE}/api/new/thing", "got": (HTML, ("X-Account", TEXT))},
    "a link to another host": {"got": (HTML, ("Location", f"https://example.org/{TEXT}"))},
    "a link to no known page": {"got": (HTML, ("Location", f"https://sso.tandemdiabetes.com/new/{TEXT}"))},
    "a member of an event": logs(event(pin=NUMBER)),
    "a property of none": logs(event(eventProperties={"pin": NUMBER})),
    "no event code": logs(event(eventCode=NUMBER)),
}


@pytest.mark.parametrize("where", BLANKED)
def test_a_value_that_was_blanked_is_found_where_it_was_kept(capture: Build, where: str) -> None:
    kept = capture(url=LOGS, got=(JSON,), answer=KEPT)
    scrub(kept, name="x")  # by itself it is any position
    refuse(kept, capture(**BLANKED[where]))


def test_so_is_one_beside_a_status(capture: Build) -> None:
    kept = capture(url=LOGS, got=(JSON,), answer=KEPT)
    (exchange,) = capture(**body({})).exchanges
    told = exchange.replacing(response=replace(exchange.response, reason=f"OK {TEXT}"))
    refuse(kept, replace(kept, exchanges=(told,)))


def refuse(kept: Capture, blanked: Capture) -> None:
    both = replace(kept, exchanges=(*blanked.exchanges, *kept.exchanges))
    with pytest.raises(LeakError, match="removed elsewhere"):
        scrub(both, name="x")


ANYBODYS = {
    "a word of the format": ("pumpDateTime", "Sequence"),
    "an amount": (12.345, 482.913),
    "five digits": ("48291", 48291),
    "a time": ("2026-11-18T10:00:00.482913Z",),
    "a group of a GUID": ("48291300-0000-4913-8000-000000482913",),
    "nothing": ("", 0, None, False, {}),
}


ROUND = (4294967295, 100_000, 250_000, 131_071)


def test_round_numbers_and_what_says_none_are_not_looked_for(capture: Build) -> None:
    for number in ROUND:
        held = json.dumps({"events": [event(eventCode=63, eventProperties={"position": number})], "clockChanges": []}).encode()
        kept, blanked = capture(url=LOGS, got=(JSON,), answer=held), capture(**body({"pin": [number, str(number)]}))
        assert scrub(replace(kept, exchanges=(*blanked.exchanges, *kept.exchanges)), name="x").cassette.exchanges, number


def test_what_is_anybodys_is_not_looked_for(capture: Build) -> None:
    kept = capture(url=LOGS, got=(JSON,), answer=KEPT)
    for why, values in ANYBODYS.items():
        for value in values:
            blanked = capture(**body({"pin": value}))
            both = replace(kept, exchanges=(*blanked.exchanges, *kept.exchanges))
            assert scrub(both, name="x").cassette.exchanges, why


BIRTHS = {170371: "ddmmyy", 31771: "", 710317: "yymmdd", 197103: "yyyymm", 31971: "", 170372: ""}


def test_a_birth_date_in_six_digits_is_found_and_one_in_five_is_not(capture: Build) -> None:
    for number, shape in BIRTHS.items():
        held = json.dumps({"events": [event(eventCode=63, eventProperties={"position": number})], "clockChanges": []}).encode()
        kept = capture(url=LOGS, got=(JSON,), answer=held)
        born = replace(kept, seen=(Seen(kind="birth date", value="1971-03-17"),))
        with pytest.raises(LeakError, match="birth date, plain") if shape else nullcontext():
            scrub(born, name="x")
