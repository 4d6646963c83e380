import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator.service import Service
from tandem.faults import Fault
from tfx.errors import UsageError
from tfx.exchange import Request, Response

PUMPER = "33333333-3333-4333-8333-333333333333"
USED = "11111111-1111-4111-8111-111111111111"
BFF = f"api/reports/bff/pumper/{PUMPER}"
PERSON = f"api/pumpers/pumpers/{PUMPER}"
FACADE = f"api/reports/reportsfacade/{PUMPER}/pumpeventmetadata"
Text = Callable[[Response], str]


@pytest.mark.parametrize(
    ("era", "path", "status"),
    [
        ("2025", FACADE, 200),  # alive until mid-2026
        ("2026-07", FACADE, 404),  # gone (tconnectsync #146)
        ("2026-10", FACADE, 404),  # still gone
        ("2025", BFF, 404),  # not there yet
        ("2026-07", BFF, 200),  # what replaced it
        ("2026-10", BFF, 200),  # and stayed
        ("2025", PERSON, 200),  # in every era
        ("2026-10", PERSON, 200),  # in every era
    ],
)
def test_each_era_has_its_paths(client: Callable[..., Any], text: Text, era: str, path: str, status: int) -> None:
    found = client(era=era).ask(path)
    assert found.status == status
    assert ("<center>nginx</center>" in text(found)) == (status == 404)


@pytest.mark.parametrize(
    ("era", "changed", "status"),
    [
        ("2026-10", {"Origin": "https://tconnect.tandemdiabetes.com"}, 403),  # what tconnectsync 2 and tandem-fetch send
        ("2026-07", {"Referer": "https://source.tandemdiabetes.com"}, 403),  # a slash short
        ("2026-10", {"Origin": None, "Referer": None}, 403),  # neither
        ("2026-10", {"Origin": "https://source.eu.tandemdiabetes.com"}, 403),  # the other region's
        ("2026-10", {}, 200),  # what tconnectsync 3 sends
        ("2025", {"Origin": None, "Referer": None}, 200),  # nobody looked before July 2026
    ],
)
def test_the_firewall_wants_the_same_origin(
    client: Callable[..., Any], text: Text, era: str, changed: dict[str, str | None], status: int
) -> None:
    asked = client(era=era)
    found = asked.ask(PERSON, **changed)
    assert found.status == status
    if status == 403:
        assert "The request is blocked" in text(found)
        assert found.headers.get("Content-Type") == "text/html"
        reference = text(found).partition("<p>")[2].partition("</p>")[0]
        assert reference in {seen.value for seen in asked.service.secrets()}


@pytest.mark.parametrize("bearer", [None, "", "Bearer ", "Bearer 0000-1", "Basic eA=="])
def test_a_token_the_stand_in_did_not_give_is_a_401(client: Callable[..., Any], bearer: str | None) -> None:
    found = client(signed_in=False).ask(PERSON, Authorization=bearer)
    assert (found.status, found.headers.get("WWW-Authenticate")[:28]) == (
        401,
        'Bearer error="invalid_token"' if "-1" in str(bearer) else "Bearer",
    )


def test_a_token_ends_after_eight_hours(client: Callable[..., Any]) -> None:
    hands = [datetime.fromisoformat("2026-11-02T08:00:00Z")]
    asked = client(now=lambda: hands[0])
    hands[0] += timedelta(hours=8, seconds=-1)
    assert asked.ask(PERSON).status == 200
    hands[0] += timedelta(seconds=1)
    assert asked.ask(PERSON).status == 401


def test_a_token_opens_its_own_region_only(client: Callable[..., Any]) -> None:
    asked = client(region="us")
    source = "https://source.eu.tandemdiabetes.com"
    headers = [("Authorization", f"Bearer {asked.bearer}"), ("Origin", source), ("Referer", f"{source}/")]
    assert asked.send("GET", f"{source}/{PERSON}", headers).status == 401


@pytest.mark.parametrize(
    ("method", "url", "why"),
    [
        ("GET", "https://sso.tandemdiabetes.com/robots.txt", "a path nobody knows"),
        ("POST", f"https://source.tandemdiabetes.com/{PERSON}", "a method nobody uses"),
        ("GET", "https://example.org/", "another host"),
    ],
)
def test_what_is_not_tandem_source_is_a_404(client: Callable[..., Any], method: str, url: str, why: str) -> None:
    source = "https://source.tandemdiabetes.com"
    assert client().send(method, url, [("Origin", source), ("Referer", f"{source}/")]).status == 404, why


def test_data_come_chunked_with_cookie_and_tag_pages_counted(client: Callable[..., Any]) -> None:
    asked = client()
    data, keys = asked.ask(BFF), asked.send("GET", f"{asked.region.issuer}/.well-known/openid-configuration/jwks")
    assert (data.headers.get("Transfer-Encoding"), "Content-Length" in data.headers) == ("chunked", False)
    assert data.headers.get("ETag").startswith('W/"')
    assert data.headers.get("Set-Cookie").startswith("ARRAffinity=")
    assert ("Transfer-Encoding" in keys.headers, keys.headers.get("Content-Length")) == (False, str(len(keys.body)))
    for found in (data, keys):
        assert found.headers.get("Date") == "Mon, 02 Nov 2026 08:00:00 GMT"
        assert {"Server", "X-Azure-Ref", "x-request-id", "Strict-Transport-Security"} <= {name for name, _ in found.headers}


@pytest.mark.parametrize(("accepted", "packed"), [("gzip, deflate", True), ("identity", False), ("", False), ("br", False)])
def test_bodies_are_packed_for_those_who_say_so(client: Callable[..., Any], accepted: str, packed: bool) -> None:
    found = client().ask(BFF, Accept_Encoding=accepted)
    assert (found.headers.get("Content-Encoding") == "gzip") == packed
    assert json.loads(gzip.decompress(found.body) if packed else found.body)["firstName"] == "José"


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("401", 401, ""),
        ("403-waf", 403, "text/html"),
        ("429", 429, "application/problem+json; charset=utf-8"),
        ("500", 500, "application/problem+json; charset=utf-8"),
        ("503", 503, "application/problem+json; charset=utf-8"),
        ("content-type", 200, "text/html; charset=utf-8"),
        ("reset", 200, "application/json; charset=utf-8"),
    ],
)
def test_a_fault_falls_on_its_turn_and_on_no_other(client: Callable[..., Any], kind: str, status: int, content_type: str) -> None:
    asked = client(faults=[Fault(endpoint="pumper", nth=2, kind=kind)])
    found = [asked.ask(BFF) for _ in range(3)]
    assert [answer.status for answer in found] == [200, status, 200]
    assert found[1].headers.get("Content-Type") == content_type
    assert found[1].headers.get("Retry-After") == ("1" if kind in ("429", "503") else "")


def test_faults_on_the_way_are_handed_on_for_the_proxy_to_act_out(client: Callable[..., Any]) -> None:
    service = client(signed_in=False, faults=[Fault(kind="truncated")]).service
    reply = service.reply(Request(method="GET", url="https://sso.tandemdiabetes.com/"))
    assert (reply.endpoint, reply.response.status, reply.transport) == ("sso-page", 200, "truncated")


def test_two_sessions_with_equal_accounts_and_clocks_say_the_same(client: Callable[..., Any]) -> None:
    first, second = client(), client()
    assert [(one.request, one.response.headers) for one in first.walk.exchanges[:4]] == [
        (one.request, one.response.headers) for one in second.walk.exchanges[:4]
    ]


def test_every_secret_that_went_over_the_wire_is_confessed(client: Callable[..., Any]) -> None:
    asked = client()
    known = {seen.value for seen in asked.service.secrets()}
    lines = [line for exchange in asked.walk.exchanges for line in exchange.response.headers.all("Set-Cookie")]
    values = {line.split(";")[0].partition("=")[2] for line in lines} - {""}
    assert values
    assert values <= known
    assert {asked.bearer, asked.service.account.password, PUMPER, USED} <= known


def test_nothing_of_it_prints(client: Callable[..., Any]) -> None:
    asked = client()
    shown = repr(asked.service) + repr(asked.service.secrets())
    assert not [seen.kind for seen in asked.service.secrets() if seen.value in shown]


@pytest.mark.parametrize(
    ("changed", "says"), [({"era": "2024"}, "no era is called '2024'"), ({"region": "au"}, "no region is called 'au'")]
)
def test_an_era_or_region_that_is_none_is_refused(client: Callable[..., Any], changed: dict[str, str], says: str) -> None:
    account = client(signed_in=False).service.account
    with pytest.raises(UsageError, match=says):
        Service(account, now=datetime.fromisoformat("2026-11-02T08:00:00Z"), **changed)  # type: ignore[arg-type]  # a table cell may name either
