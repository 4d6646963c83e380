"""What the recorder hands to the second layer: what it finds, and what it leaves alone."""

import base64
import json

import pytest

from recorder.seen import seen_in
from tfx.capture import Seen
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.signing import sign

UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SOURCE = "https://source.tandemdiabetes.com/api"
TDC = "https://tdcservices.tandemdiabetes.com/accounts/api"


def exchange(  # the parts of an exchange
    url: str = f"{SOURCE}/pumpers/pumpers/p",
    *,
    method: str = "GET",
    sent: tuple[tuple[str, str], ...] = (),
    asked: bytes = b"",
    status: int = 200,
    got: tuple[tuple[str, str], ...] = (),
    said: object = None,
) -> Exchange:
    body = b"" if said is None else said if isinstance(said, bytes) else json.dumps(said).encode()
    return Exchange(
        request=Request(method=method, url=url, headers=Headers(sent), body=asked),
        response=Response(status=status, headers=Headers(got), body=body),
    )


def found(one: Exchange) -> set[tuple[str, str]]:
    return {(seen.kind, seen.value) for seen in seen_in([one])} - {("id", "p")}


FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
NAME_RECORD = bytes.fromhex("0045" + "00000001" * 2 + "00" * 8) + b"anoJnaht"


@pytest.mark.parametrize(
    ("one", "expected", "why"),
    [
        (exchange(sent=(("Authorization", "Bearer opaque1"),)), {("token", "opaque1")}, "the bearer token"),
        (exchange(sent=(("Cookie", "a=one; b=two=2"),)), {("cookie", "one"), ("cookie", "two=2")}, "each cookie sent"),
        (exchange(got=(("Set-Cookie", "a=one; Path=/; Secure"),)), {("cookie", "one")}, "and set"),
        (
            exchange(got=(("Location", f"{SOURCE}?code=c1&session_state=s1&iss=x"),)),
            {("token", "c1"), ("token", "s1")},
            "the code on its way",
        ),
        (exchange(got=(("Location", "https://a/?ReturnUrl=%2Fb%3Fcode_challenge%3Dch1"),)), {("token", "ch1")}, "a URL in a URL"),
        (exchange(sent=(("Referer", f"{SOURCE}?code=c1"),)), {("token", "c1")}, "and where it came from"),
        (exchange(got=(("X-Azure-Ref", f"{UUID}"),)), {("id", UUID)}, "a trace header"),
        (exchange(got=(("ETag", 'W/"15b2-bfb05b7f26189cfd7dfcc630522"'),)), {("token", "15b2-bfb05b7f26189cfd7dfcc630522")}, "a validator"),
        (
            exchange(f"{TDC}/login", method="POST", asked=b'{"username": "a@b.org", "password": "\\u20ac&1"}'),
            {("e-mail", "a@b.org"), ("password", "€&1")},
            "the login",
        ),
        (
            exchange(f"{TDC}/connect/token", method="POST", sent=FORM, asked=b"code=c%2F1&code_verifier=v1&grant_type=x"),
            {("token", "c/1"), ("token", "v1")},
            "the form, decoded",
        ),
        (exchange(said={"firstName": "Zoë", "dateOfBirth": "1980-02-03"}), {("name", "Zoë"), ("birth date", "1980-02-03")}, "a person"),
        (
            exchange(said=[{"tconnectDeviceId": 378904, "serialNumber": 90012345}]),
            {("id", "378904"), ("serial", "90012345")},
            "numbers too",
        ),
        (exchange(said={"brand new": UUID}), {("id", UUID)}, "an unknown member that looks like an id"),
        (exchange(said={"contact": "a@b.org"}), {("e-mail", "a@b.org")}, "or like an address"),
        (exchange(said={"x": "A1" * 12}), {("hash", "A1" * 12)}, "or like a hash"),
        (exchange(status=401, said={"error": "account/invalid", "traceId": "t-1"}), {("id", "t-1")}, "the trace id of an error"),
        (exchange(f"{SOURCE}/reports/bff/pumper/who%20me", said={}), {("id", "who me")}, "an id in the path, decoded"),
        (
            exchange(f"{SOURCE}/reports/reportsfacade/pumpevents/p/7", said=base64.b64encode(NAME_RECORD).decode()),
            {("id", "7"), ("event text", "Jonathan")},
            "a name with its words reversed",
        ),
        (
            exchange(
                f"{SOURCE}/reports/bff/pump-logs/a-1?pumperId=p",
                said={
                    "events": [
                        {
                            "deviceAssignmentId": "a-1",
                            "eventCode": 156,
                            "eventProperties": {f"b{n}": ord(c) for n, c in enumerate("8BHY8K")},
                        }
                    ]
                },
            ),
            {("id", "a-1"), ("event text", "8BHY8K")},
            "a transmitter id, byte by byte",
        ),
        (
            exchange(f"{SOURCE}/reports/bff/pump-logs/a-1", said={"events": [{"eventCode": 1, "eventProperties": {"note": "hello"}}]}),
            {("id", "a-1"), ("event text", "hello")},
            "any text in an event",
        ),
    ],
)
def test_a_personal_value_is_found(one: Exchange, expected: set[tuple[str, str]], why: str) -> None:
    assert found(one) == expected, why


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (exchange(f"{TDC}/connect/authorize?client_id=1519e414-eeec-492e-8c5e-97bea4815a10&scope=openid"), "every client's id"),
        (exchange(said={"aud": "1519e414-eeec-492e-8c5e-97bea4815a10"}), "the same as a claim"),
        (exchange(f"{SOURCE}/x?startDate=2026-11-12T00%3A00%3A00Z&eventCodes=1%2C2"), "dates are moved, codes are words"),
        (exchange(got=(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),)), "a plain header"),
        (exchange(said={"modelName": "t:slim X2", "softwareVersion": "7.8.0.0", "weight": 70}), "not a person's"),
        (exchange(said={"ok": True, "name": None}), "nothing there"),
        (exchange(f"{TDC}/.well-known/openid-configuration/jwks", said={"keys": [{"kid": UUID, "n": "A1" * 20}]}), "keys anyone may have"),
        (exchange(status=400, said={"name": "ZodError", "issues": [{"code": "unrecognized_keys"}]}), "words of an error"),
        (exchange(said=b"<html>a page"), "a page"),
        (exchange(f"{SOURCE}/reports/reportsfacade/pumpevents/p/p", said="not base64"), "no records"),
        (
            exchange(f"{SOURCE}/reports/bff/pump-logs/p", said={"events": [{"eventCode": 395, "eventProperties": {"a": 50, "b": 51}}]}),
            "too short",
        ),
    ],
)
def test_what_is_nobodys_is_left_alone(one: Exchange, why: str) -> None:
    assert found(one) == set(), why


def test_the_claims_of_a_token_are_found() -> None:
    token = sign({"sub": "s-1", "given_name": "Zoë", "countrySubdivision": "US-CA", "aud": "0oa4wnbvtladeyVZX4h7"})
    one = exchange(f"{TDC}/connect/token", method="POST", said={"id_token": token, "expires_in": 28800})
    assert found(one) == {("token", token), ("id", "s-1"), ("name", "Zoë")}


def test_each_value_is_told_once_in_the_order_met() -> None:
    one, two = exchange(said={"id": "i-1"}), exchange(said={"id": "i-2", "pumperId": "i-1"})
    assert seen_in([one, two, one]) == tuple(Seen(kind="id", value=value) for value in ("p", "i-1", "i-2"))
