"""Direct calls into `tandem` that end in an error, with a canary in their arguments. See canary_calls.py."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import cast

import numpy as np
import requests
from canary import EMAIL, NAME, PASSWORD, SERIAL, TOKEN, UUID, Bench
from canary_calls import DAY, NOW, US, Call

from tandem import bff, client, clock, login, members
from tandem.asking import Answer, Asker
from tandem.eras import ERAS
from tandem.events import EVENTS, Field
from tandem.faults import Fault
from tandem.pumplists import objects
from tandem.records import Records
from tandem.stamp import Stamp
from tandem.windows import Window, windows
from tfx.jsonbody import Json
from tfx.signing import jwks, sign


def answer(status: int, body: str = "", what: str = "pumper", url: str = f"https://x.example.org/{UUID}?code={TOKEN}") -> Answer:
    """What the service said, with secrets wherever it may say some."""
    said = body or json.dumps({"firstName": NAME, "access_token": TOKEN})
    return Answer(what=what, status=status, url=url, headers={"Set-Cookie": f"idsrv={TOKEN}"}, body=said.encode())


def raised(error: Exception) -> object:
    raise error


def refused(said: Answer) -> object:
    return raised(client._refusal(said, ERAS["2026-10"]))


class Saying:
    """An asker to whom everything is answered with one answer."""

    def __init__(self, said: Answer) -> None:
        self.said, self.region = said, US

    def ask(self, *_: object, **__: object) -> Answer:
        return self.said


def asker(said: Answer) -> Asker:
    return cast("Asker", Saying(said))


def left_alone(_: Bench) -> object:
    class Busy(requests.Session):
        def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
            busy = requests.Response()
            busy.status_code, busy.request, busy.url = 429, request, str(request.url)
            busy.headers["Retry-After"] = "86400"
            busy._content = PASSWORD.encode()
            return busy

    found = Asker(Busy(), region=US, clock=lambda: NOW, sleep=lambda _: None)
    return found.ask("the tokens", "POST", f"https://x.example.org/{UUID}", headers={"Authorization": TOKEN}, form={"password": PASSWORD})


def token(**claims: Json) -> str:
    now = int(NOW.timestamp())
    return sign({"iss": US.issuer, "aud": "x", "iat": now, "exp": now + 99, "sub": UUID, "email": EMAIL, **claims})


def checked(id_token: str, keys: "Json | None" = None) -> object:
    return login.verified(id_token, jwks() if keys is None else keys, region=US, client_id="x", now=NOW.timestamp())


def event(code: int = 279, **changes: Json) -> dict[str, Json]:
    """An event as the service writes it, with a name for its device."""
    made: dict[str, Json] = {
        "deviceAssignmentId": NAME,
        "eventCode": code,
        "sequenceGroup": 0,
        "sequenceNumber": 7,
        "pumpDateTime": "2026-11-18T10:00:00",
        "eventProperties": {field.name: ([] if field.meaning == "bitmask" else 0) for field in EVENTS[code].fields}
        if code in EVENTS
        else {},
        "estimatedDateTime": "2026-11-18T10:00:00Z",
    }
    return {**made, **changes}


def of_type(*, meaning: str | None = None, kind: str | None = None) -> tuple[int, Field]:
    """A field of that meaning or type, and the code of an event that has it."""
    return next(
        (code, field)
        for code, one in EVENTS.items()
        for field in one.fields
        if (meaning is None or field.meaning == meaning) and (kind is None or field.type == kind) and field.origin != "spare"
    )


(_WHOLE_CODE, WHOLE), (_MASK_CODE, MASK), (REAL_CODE, REAL) = (
    of_type(kind="uint32"),
    of_type(meaning="bitmask"),
    of_type(kind="float32"),
)
HUGE = 10**30


def changed(change: dict[str, Json], _: Bench) -> object:
    return bff.records_from_events([event() | change])


def properties(**changes: Json) -> object:
    own = dict(cast("Mapping[str, Json]", event()["eventProperties"]))
    return bff.records_from_events([event(eventProperties={**own, **changes})])


def without_property() -> object:
    return bff.records_from_events([event(REAL_CODE, eventProperties={})])


def infinite() -> object:
    built = Records.build(code=REAL_CODE, seconds=[0], sequence=[7], columns={REAL.name: [np.inf]})
    return bff.events_from_records(built, device_assignment_id=NAME)


TANDEM: tuple[Call, ...] = (
    lambda _: answer(200, f'{{"{NAME}": {PASSWORD}').json(),
    lambda _: answer(200, f'{{"{NAME}": NaN}}').json(),
    left_alone,
    lambda _: bff.parts_of_answer([NAME]),
    lambda _: bff.parts_of_answer({"events": NAME, "clockChanges": PASSWORD}),
    lambda _: infinite(),
    *(
        partial(changed, change)
        for change in cast(
            "tuple[dict[str, Json], ...]",
            (
                {"pumpDateTime": NAME},
                {"pumpDateTime": "2026-11-99T10:00:00"},
                {"pumpDateTime": f"{NAME:*>19}"},
                {"pumpDateTime": "2026-11-18 10:00:00"},
                {"pumpDateTime": "1999-11-18T10:00:00"},
                {"eventProperties": NAME},
                {"sequenceNumber": SERIAL},
                {"sequenceNumber": HUGE},
                {"sequenceNumber": -int(SERIAL)},
                {"eventCode": 4001, "eventProperties": {"spareA0": NAME}},
                {"eventCode": 4001, "eventProperties": {"marisol": NAME}},
                {"eventCode": 4001, "eventProperties": {"spareA0": 3}},
            ),
        )
    ),
    lambda _: properties(**{NAME: PASSWORD}),
    lambda _: properties(**{next(iter(cast("dict[str, Json]", event()["eventProperties"]))): PASSWORD}),
    lambda _: without_property(),
    lambda _: members.read([NAME], WHOLE),
    lambda _: members.read([HUGE], WHOLE),
    lambda _: members.read([int(SERIAL) * 10**4], WHOLE),
    lambda _: members.read([NAME], REAL),
    lambda _: members.read([10**400 + int(SERIAL)], REAL),
    lambda _: members.read([1e300], REAL),
    lambda _: members.read([float(f"0.{SERIAL}{SERIAL}")], REAL),
    lambda _: members.read([NAME], MASK),
    lambda _: members.read([[HUGE]], MASK),
    lambda _: members.read([[int(SERIAL)]], MASK),
    lambda _: raised(client._strange(answer(200))),
    lambda _: refused(answer(401)),
    lambda _: refused(answer(404)),
    lambda _: refused(answer(400, f'{{"name": "ZodError", "message": "{PASSWORD}"}}')),
    lambda _: refused(answer(418)),
    lambda _: client.TandemSource(requests.Session(), region=US, era=ERAS["2026-10"], clock=lambda: NOW).pump_events(
        SERIAL, Window(since=DAY, until=DAY)
    ),
    lambda _: client.TandemSource(requests.Session(), region=US, era=ERAS["2026-10"], clock=lambda: NOW)._get(
        "pump-events", {NAME: PASSWORD}
    ),
    lambda _: login._expect_page(answer(500)),
    lambda _: login._authorize(asker(answer(200, url=f"https://x.example.org/?error={PASSWORD}")), PASSWORD, ERAS["2026-10"]),
    lambda _: login._authorize(asker(answer(400)), PASSWORD, ERAS["2026-10"]),
    lambda _: login._redeem(asker(answer(400)), TOKEN, PASSWORD, ERAS["2026-10"]),
    lambda _: login._redeem(asker(answer(200, f'{{"access_token": "{TOKEN}"}}')), TOKEN, PASSWORD, ERAS["2026-10"]),
    lambda _: checked(f"{TOKEN}.{NAME}.x"),
    lambda _: checked(token(aud=NAME)),
    lambda _: checked(token(), {"keys": [{"kid": NAME}]}),
    lambda _: checked(token(iat=int(NOW.timestamp()) + 9000)),
    lambda _: checked(token(exp=int(NOW.timestamp()) - 9000)),
    lambda _: login._text({"email": EMAIL, "sub": ""}, "sub"),
    lambda _: clock.seconds_of_texts([f"{NAME:*>19}"]),
    lambda _: clock.seconds_of_texts(["2026-11-18 10:00:00"]),
    lambda _: objects([NAME, PASSWORD], "pumps"),
    lambda _: Records(rows=np.frombuffer(PASSWORD.encode(), np.uint8)),
    lambda _: Records.parse(PASSWORD.encode()),
    lambda _: Records.from_body(PASSWORD.encode()),
    lambda _: Records.from_body(json.dumps({"a": NAME}).encode()),
    lambda _: Records.from_base64(PASSWORD + "!"),
    lambda _: Records.build(code=279, seconds=[1, 2], sequence=[1, 2, 3]),
    lambda _: built(REAL_CODE, {"nowhere": [1]}),
    lambda _: built(REAL_CODE, {REAL.name: [NAME]}),
    lambda _: built(REAL_CODE, {REAL.name: [1e300]}),
    lambda _: built(_WHOLE_CODE, {WHOLE.name: [NAME]}),
    lambda _: built(_WHOLE_CODE, {WHOLE.name: [-int(SERIAL)]}),
    lambda _: blank(REAL_CODE).with_columns(REAL_CODE, {REAL.name: [int(SERIAL), 2.0]}),
    lambda _: Stamp.parse(NAME),
    lambda _: Stamp.parse("1984-02-31T10:00:00"),
    lambda _: Stamp.parse("1984-02-29T10:00:00").shifted(timedelta(days=10**7)),
    lambda _: Window(since=date(1984, 2, 29), until=date(1984, 2, 28)),
    lambda _: windows(date(1984, 2, 28), date(1984, 2, 29), 0),
    lambda _: Fault.parse("nowhere:1:500"),
    lambda _: Fault.parse("any:1:nothing"),
    lambda _: Fault.parse("any:0:500"),
    lambda _: Fault.parse("any"),
)


def blank(code: int) -> Records:
    return Records.build(code=code, seconds=[0], sequence=[int(SERIAL)])


def built(code: int, columns: Mapping[str, list[object]]) -> object:
    return blank(code).with_columns(code, cast("Mapping[str, list[float]]", columns))
