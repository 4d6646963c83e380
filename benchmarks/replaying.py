"""The replayer's row of `make bench`: a request, beside requests with an in-memory adapter that builds the same response."""

import io
from datetime import UTC, datetime, timedelta

import requests
from measure import Contest, Rival
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from replayer.session import offline
from tfx import store
from tfx.cassette import Cassette
from tfx.exchange import Exchange, Headers, Request, Response, Terms

ASSIGNMENT = "00000000-0000-4000-8000-000000000001"
SENT = {
    "Authorization": "Bearer x",
    "Origin": "https://source.tandemdiabetes.com",
    "Referer": "https://source.tandemdiabetes.com/",
}
BODY = b'{"events":[' + b",".join(b'{"eventCode":279,"sequenceNumber":%d}' % number for number in range(50)) + b'],"clockChanges":[]}'


def url_of(number: int) -> str:
    day = (datetime(1900, 1, 1, tzinfo=UTC) + timedelta(days=number)).date()
    return (
        f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ASSIGNMENT}"
        f"?pumperId={ASSIGNMENT}&startDate={day}T00%3A00%3A00Z&endDate={day}T23%3A59%3A59Z"
    )


def many(count: int) -> Cassette:
    headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    response = Response(status=200, reason="OK", headers=headers, body=BODY)
    return Cassette(
        name="many",
        era="2026-10",
        region="us",
        clock=datetime(2024, 7, 3, tzinfo=UTC),
        policy=1,
        exchanges=tuple(
            Exchange(
                request=Request(method="GET", url=url_of(number), headers=Headers(SENT.items())),
                response=response,
                terms=Terms(repeat="cycle"),
            )
            for number in range(count)
        ),
    )


class Floor(HTTPAdapter):
    """The least a faithful replay can do: look up, and build a real response."""

    def __init__(self, cassette: Cassette) -> None:
        super().__init__()
        self._answers = {exchange.request.url: exchange.response for exchange in cassette.exchanges}

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        found = self._answers[str(request.url)]
        raw = HTTPResponse(
            body=io.BytesIO(found.body), status=found.status, reason=found.reason, headers=dict(found.headers), preload_content=False
        )
        built: requests.Response = self.build_response(request, raw)
        return built


def asked(session: requests.Session, count: int) -> None:
    for number in range(0, count, max(1, count // 300)):
        assert session.get(url_of(number), headers=SENT).content == BODY


def contest(count: int = 10_000) -> Contest:
    cassette = many(count)
    floor = requests.Session()
    floor.mount("https://", Floor(cassette))
    served = requests.Session()
    units = len(range(0, count, max(1, count // 300)))
    return Contest(
        title=f"Replay, {count} exchanges",
        unit="requests",
        target="1.3 x the floor's time or less",
        rivals=(
            Rival(name="floor", work=lambda: asked(floor, count), units=units),
            Rival(name="tfx", work=lambda: asked(served, count), units=units, around=lambda: offline(cassette)),
        ),
    )


def loading(count: int = 2_000) -> Contest:
    import json

    data = store.dumps(many(count))
    return Contest(
        title=f"Loading a cassette, {len(data) / 1e6:.1f} MB",
        unit="MB",
        target="1.3 x json.load's time or less",
        rivals=(
            Rival(name="json.loads", work=lambda: json.loads(data), units=len(data) / 1e6),
            Rival(name="tfx.store.loads", work=lambda: store.loads(data, "many.json"), units=len(data) / 1e6),
        ),
    )
