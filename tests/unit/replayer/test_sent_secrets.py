"""What clients sent in confidence stands in no text that was masked; what the service or the cassette knows stays."""

import base64
import gzip
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayer.pytest_plugin.sent_secrets import MASK, Masks, Sent
from tfx.exchange import Headers, Request

WORD = "s3cr3tZQ9x81mkLq"
HOST = "https://tdcservices.tandemdiabetes.com"
FORM = Headers([("Content-Type", "application/x-www-form-urlencoded")])
ZIPPED = Headers([("Content-Encoding", "gzip")])
HELD = ("%s", "password:%s", "<a>%s</a>", "<a b='%s'/>", '<a b="%s">x', "pw=%s\nuser=<me>", "me %s", '[{"password": "%s"},', "{'pw': '%s'}")
values = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=12, max_size=40)


def posted(body: str) -> Request:
    return Request(method="POST", url=HOST, headers=Headers(), body=body.replace("%s", WORD).encode())


@given(
    value=st.text("abcXYZ019!#$*+.@^_~|-", min_size=6, max_size=20).filter(lambda one: any(map(str.isalnum, one))),
    held=st.sampled_from(HELD),
)
def test_a_value_in_a_body_of_no_known_form_is_found(value: str, held: str) -> None:
    sent = Sent()
    sent.note(posted(held.replace("%s", value)))
    assert value not in Masks(sent.values()).hidden(f"password = '{value}'")


@given(value=values, before=st.text(max_size=9), after=st.text(max_size=9))
def test_a_value_survives_in_no_spelling(value: str, before: str, after: str) -> None:
    masks = Masks([value])
    for spelled in (value, quote(value, safe=""), json.dumps(value), repr(value)):
        assert value not in masks.hidden(before + spelled + after)
    shown = masks.hidden(base64.b64encode((before + value + after).encode()).decode())
    assert shown.count(MASK) == 1, "of its first and last bytes some bits may stay"


@given(cut=st.integers(0, len(WORD)))
def test_a_value_cut_short_survives_by_three_characters_at_most(cut: int) -> None:
    shown = Masks([WORD]).hidden(f"'Bearer {WORD[:cut]}...{WORD[cut:]}'")
    assert not any(WORD[at : at + 4] in shown for at in range(len(WORD) - 3))


@pytest.mark.parametrize(
    ("why", "request_"),
    [
        ("bearer", Request(method="GET", url=HOST, headers=Headers([("Authorization", f"Bearer {WORD}")]))),
        ("cookie", Request(method="GET", url=HOST, headers=Headers([("Cookie", f"a=1; b={WORD}")]))),
        (
            "basic",
            Request(
                method="GET", url=HOST, headers=Headers([("Authorization", "Basic " + base64.b64encode(f"me:{WORD}".encode()).decode())])
            ),
        ),
        ("form", Request(method="POST", url=HOST, headers=FORM, body=f"password={WORD}".encode())),
        ("json", Request(method="POST", url=HOST, headers=Headers(), body=json.dumps({"a": [{"password": WORD}]}).encode())),
        ("json, its name twice", posted('{"password":"%s","password":"x"}')),
        ("json, a value alone", posted('"%s"')),
        ("multipart", posted(f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{WORD}\r\n--b--\r\n')),
        ("multipart, a file", posted('--b\r\nContent-Disposition: form-data; name="x"; filename="y"\r\n\r\na:%s\r\n--b--\r\n')),
        ("multipart, json in it", posted('--b\nContent-Disposition: form-data; name="x"\n\n{"password":"%s"}\n--b--')),
        ("xml, between tags", posted("<login><pw>%s</pw></login>")),
        ("xml, an attribute", posted("<login pw='%s'/>")),
        ("text", posted("password:%s")),
        ("the whole of it", posted("%s")),
        ("JSON lines", posted('{"password":"%s"}\n{"a":1}')),
        ("UTF-16", Request(method="POST", url=HOST, headers=Headers(), body=f"<a>{WORD}</a>".encode("utf-16"))),
        ("gzip", Request(method="POST", url=HOST, headers=ZIPPED, body=gzip.compress(f"password={WORD}".encode()))),
        ("called gzip", Request(method="POST", url=HOST, headers=ZIPPED, body=f"password={WORD}".encode())),
        ("query", Request(method="GET", url=f"{HOST}/?state={WORD}", headers=Headers())),
        ("path", Request(method="GET", url=f"{HOST}/api/{WORD}/x", headers=Headers())),
        ("userinfo", Request(method="GET", url=f"https://me:{WORD}@tdcservices.tandemdiabetes.com/", headers=Headers())),
    ],
)
def test_where_a_secret_is_found(why: str, request_: Request) -> None:
    sent = Sent()
    sent.note(request_)
    assert WORD in sent.values(), why
    assert WORD not in sent.values([f"token={WORD}"]), "it stands on the cassette"
    assert WORD not in repr(sent)


def test_what_is_nobodys_secret_stays() -> None:
    sent = Sent()
    url = f"{HOST}/api/reports/bff/pump-logs/x?startDate=2024-07-02&eventCodes=3&endDate=2024-07-03T00:00:00"
    sent.note(Request(method="GET", url=url, headers=Headers([("User-Agent", "python-requests/2.32.3"), ("Accept", "*/*")])))
    sent.note(Request(method="POST", url=HOST, headers=FORM, body=b"username=user&password=password&grant_type=authorization_code"))
    assert sent.values() == frozenset()
    sent.note(posted('<?xml version="1.0" encoding="UTF-8"?><accounts><token>ab</token></accounts>'))
    assert not {"version", "encoding", "accounts", "token"} & sent.values(), "words of the service's and of XML's"


def test_a_short_value_is_taken_out_as_a_word_of_its_own() -> None:
    assert Masks(["hunt"]).hidden("hunt hunter 'hunt'") == f"{MASK} hunter '{MASK}'"
