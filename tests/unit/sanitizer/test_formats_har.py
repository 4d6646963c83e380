"""HAR files of browsers and proxies: what is read, what is left out, what is refused, and that no secret in one survives."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sanitizer.check import looked_at
from sanitizer.formats import har
from sanitizer.formats.nodes import json_file, mapping
from sanitizer.formats.recording import capture_of
from sanitizer.scrub import Scrubbed, scrub
from tfx.capture import Capture
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.errors import FormatError, RefusedError, UsageError
from tfx.exchange import Exchange, Headers
from tfx.store import dumps

pytestmark = pytest.mark.slow  # each example is a whole session

Session = Callable[..., Capture]
Done = Callable[..., Scrubbed]

SOURCE = "https://source.tandemdiabetes.com"
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
PUMPER = f"{SOURCE}/api/reports/bff/pumper/{ID}"
LOGS = f"{SOURCE}/api/reports/bff/pump-logs/{ID}?eventCodes=16"


def entry(url: str = LOGS, *, text: str = "{}", **changes: object) -> dict[str, object]:
    answer: dict[str, object] = {
        "status": 200,
        "statusText": "OK",
        "headers": [{"name": "content-type", "value": "application/json"}, {"name": "content-encoding", "value": "br"}],
        "content": {"size": len(text), "mimeType": "application/json", "text": text},
        "redirectURL": "",
    }
    request: dict[str, object] = {"method": "GET", "url": url, "headers": [{"name": ":path", "value": "/x"}]}
    for key, value in changes.items():
        (request if key in ("method", "postData") else answer)[key] = value
    return {"startedDateTime": "2026-10-05T18:30:00.250Z", "request": request, "response": answer}


def file(*entries: object) -> dict[str, object]:
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": list(entries)}}


def only(*entries: object) -> Exchange:
    (one,) = har.read(file(*entries), "x.har").exchanges
    return one


def held(capture: Capture) -> Cassette:
    """A capture where a cassette should be: what a browser would have written, secrets and all."""
    return Cassette(name="x", era=capture.era, region=capture.region, clock=capture.clock, policy=1, exchanges=capture.exchanges)


def unpacked(cassette: Cassette) -> list[object]:
    """What a HAR can carry of each exchange."""
    return [
        (
            one.request,
            one.response.status,
            one.response.reason,
            one.response.headers.without("content-encoding", "content-length"),
            decoded(one.response.headers, one.response.body),
        )
        for one in cassette.exchanges
    ]


@pytest.mark.parametrize(("era", "region"), [("2025", "us"), ("2026-07", "eu"), ("2026-10", "us")])
def test_a_session_in_a_har_becomes_the_cassette_it_would_have_been(session: Session, scrubbed: Done, era: str, region: str) -> None:
    capture = session(era, region)
    recording = har.read(json_file(har.write(held(capture)), "x.har"), "x.har")
    through = scrub(capture_of(recording, "x.har"), name="x").cassette
    assert unpacked(through) == unpacked(scrubbed(era, region).cassette)
    assert looked_at(through) == ()
    text = dumps(through)
    assert [one.kind for one in capture.seen if len(one.value) > 7 and one.value.encode() in text] == []


def test_a_cassette_comes_back(scrubbed: Done) -> None:
    clean = scrubbed().cassette
    recording = har.read(json_file(har.write(clean), "x.har"), "x.har")
    assert unpacked(scrub(capture_of(recording, "x.har"), name="x").cassette) == unpacked(clean)


def test_what_is_written_is_har(scrubbed: Done) -> None:
    log = json.loads(har.write(scrubbed().cassette))["log"]
    assert log["version"] == "1.2"
    assert log["creator"]["name"] == "tfx"
    for one in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= one.keys()
        assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"} <= one["request"].keys()
        assert {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"} <= one[
            "response"
        ].keys()
        assert {"size", "mimeType"} <= one["response"]["content"].keys()


def test_a_decoded_body_loses_the_header_that_says_otherwise() -> None:
    assert only(entry(text='{"a":1}')).response.headers == Headers([("content-type", "application/json")])


def test_a_body_in_base64_is_decoded_and_unpacked_where_it_still_is_packed() -> None:
    packed = base64.b64encode(gzip.compress(b"{}", mtime=0)).decode()
    headers = [{"name": "Content-Encoding", "value": "gzip"}]
    got = only(entry(headers=headers, content={"text": packed, "encoding": "base64"})).response
    assert (got.body, got.headers) == (b"{}", Headers())


def test_values_a_browser_joined_stand_apart() -> None:
    assert only(entry(headers=[{"name": "set-cookie", "value": "a=1\nb=2"}])).response.headers.all("Set-Cookie") == ("a=1", "b=2")


def test_a_form_is_read_from_its_text_or_its_pairs() -> None:
    pairs = [{"name": "grant_type", "value": "code"}, {"name": "code", "value": "a b"}]
    form = "application/x-www-form-urlencoded"
    sent = only(entry(method="POST", postData={"mimeType": form, "params": pairs})).request
    assert (sent.body, sent.headers.get("content-type")) == (b"grant_type=code&code=a+b", form)
    assert only(entry(method="POST", postData={"mimeType": form, "text": "a=b", "params": pairs})).request.body == b"a=b"


def test_a_redirect_keeps_where_it_leads() -> None:
    assert only(entry(status=302, headers=[], redirectURL=f"{SOURCE}/")).response.headers.get("Location") == f"{SOURCE}/"


def test_other_hosts_and_broken_requests_are_left_out_and_numbered() -> None:
    recording = har.read(file(entry(), entry("https://stats.example.org/?u=Marisol"), entry(status=0), entry("https://[")), "x.har")
    assert (len(recording.exchanges), recording.elsewhere) == (1, (2, 3, 4))


def test_entries_stand_in_the_order_they_were_started() -> None:
    early = {**entry(PUMPER), "startedDateTime": "2026-10-05T20:29:00+02:00"}
    recording = har.read(file(entry(), early), "x.har")
    assert [one.request.url for one in recording.exchanges] == [PUMPER, LOGS]
    assert recording.clock == datetime(2026, 10, 5, 18, 30, 0, 250_000, tzinfo=UTC)


JSON = [{"name": "content-type", "value": "application/json"}]
NO_TEXT = r"response\.content has no text, and its size does not say that there was none; export the HAR with its contents"


def posted(**changes: object) -> dict[str, object]:
    """A request with a body, of which the file has nothing."""
    made = entry(method="POST")
    return {**made, "request": {**mapping(made["request"], ""), **changes}}


BROKEN = [
    ({}, "x.har is not a HAR file: it has no log"),
    ([], "x.har is not a HAR file: it has no log"),
    ({"log": {}}, r"x.har log\.entries is not a list"),
    (file(7), r"log\.entries\[0\] is not an object"),
    (file({"request": {}}), r"log\.entries\[0\]\.response is not an object"),
    (file({"request": {}, "response": {}}), r"log\.entries\[0\]\.request\.url is not a text"),
    (file({**entry(), "startedDateTime": "9999-12-31T23:59:59-14:00"}), r"^x.har log\.entries\[0\]\.startedDateTime is in no year from"),
    (file(entry(), {**entry(), "startedDateTime": "0001-01-01T00:00:00+14:00"}), r"log\.entries\[1\]\.startedDateTime is in no year from"),
    (file(entry(status="200")), r"response\.status is not a status of HTTP"),
    (file(entry(status=True)), r"response\.status is not a status of HTTP"),
    (file(entry(headers={"a": "b"})), r"response\.headers is not a list"),
    (file(entry(headers=[{"name": "a", "value": ["b"]}])), r"response\.headers is not a text"),
    (file(entry(content={"text": "!", "encoding": "base64"})), r"content\.text is not base64"),
    (file(entry(content={"text": "\ud800"})), r"content\.text holds half a character"),
    (file(entry(content={"size": 9, "mimeType": "application/json"})), NO_TEXT),
    (file(entry(content={})), NO_TEXT),
    (file(entry(content={"size": -1})), NO_TEXT),
    (file(entry(content={"size": 0}, bodySize=5528)), NO_TEXT),
    (file(entry(content={"size": 0}, headers=[*JSON, {"name": "Content-Length", "value": "5528"}])), NO_TEXT),
    (file(posted(bodySize=37)), r"request\.postData has no text though a size says that there was one"),
    (file(posted(headers=[{"name": "Content-Length", "value": "37"}])), r"request\.postData has no text though"),
    (file(entry(method="POST", postData=[])), r"request\.postData is not an object"),
    (file(entry(method="POST", postData={"params": [{"name": "\ud800"}]})), r"params holds half a character"),
]


@pytest.mark.parametrize(("value", "said"), BROKEN)
def test_a_broken_file_is_named_by_place(value: object, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        har.read(value, "x.har")


@pytest.mark.parametrize("data", [b"", b"{", b"[1,]", b'{"log":1,"log":2}', b"\xff", b"[" * 5000, b"<html>"])
def test_what_is_no_json_is_no_har(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^x.har cannot be read as JSON: "):
        json_file(data, "x.har")


def test_a_byte_order_mark_is_allowed() -> None:
    assert json_file(b"\xef\xbb\xbf{}", "x.har") == {}


LOGIN = "https://tdcservices.tandemdiabetes.com/accounts/api/login"
ASKED = [
    (file(entry("https://example.org/")), "holds no exchange with Tandem Source"),
    (file(entry(f"{SOURCE}/logo.png")), "holds no exchange with Tandem Source"),
    (file(), "holds no exchange with Tandem Source"),
    (file(entry(LOGIN, method="POST")), r"does not show which state of the API it is of; .* --era \(2025, 2026-07, 2026-10\)"),
    (file(entry(PUMPER)), "--era"),
    (file(entry(LOGS), entry(LOGS.replace("eventCodes", "eventIds"))), "shows two states of the API; .* --era"),
    (file(entry(LOGS), entry(PUMPER.replace("source.", "source.eu."))), r"goes to both regions; .* --region \(us or eu\)"),
    (file({**entry(), "startedDateTime": 3}), r"does not say when it was recorded; .* --clock"),
]


@pytest.mark.parametrize(("value", "said"), ASKED)
def test_what_cannot_be_told_is_asked_for(value: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        capture_of(har.read(value, "x.har"), "x.har")


TOLD = [
    (entry(LOGS), "2026-10", "us"),
    (entry(LOGS.replace("eventCodes", "eventIds")), "2026-07", "us"),
    (entry(f"https://source.eu.tandemdiabetes.com/api/reports/reportsfacade/{ID}/pumpeventmetadata"), "2025", "eu"),
]


@pytest.mark.parametrize(("one", "era", "region"), TOLD)
def test_era_and_region_are_told_by_the_urls(one: object, era: str, region: str) -> None:
    capture = capture_of(har.read(file(one), "x.har"), "x.har")
    assert (capture.era, capture.region) == (era, region)


def test_a_refused_endpoint_says_nothing_of_the_era() -> None:
    dead = entry(f"{SOURCE}/api/reports/reportsfacade/{ID}/pumpeventmetadata", status=404)
    assert capture_of(har.read(file(entry(LOGS), dead), "x.har"), "x.har").era == "2026-10"


def test_a_page_s_own_files_make_no_tokens_of_common_words() -> None:
    script = entry(f"{SOURCE}/main.js?lang=en-US&mode=compact", text='{"email":"marisol@posteo.example"}')
    seen = {one.value for one in capture_of(har.read(file(entry(LOGS), script), "x.har"), "x.har").seen}
    assert seen == {ID, "marisol@posteo.example"}


def test_a_number_of_thousands_of_digits_is_a_refused_body_with_its_place() -> None:
    long = entry(text='{"a": ' + "1" * 6000 + "}", headers=[{"name": "content-type", "value": "application/json"}])
    capture = capture_of(har.read(file(long), "x.har"), "x.har")
    with pytest.raises(RefusedError, match="#1 response body: a JSON body holds a number too long to read"):
        scrub(capture, name="x")


def test_an_odd_url_is_named_and_not_quoted() -> None:
    odd = entry(headers=[{"name": "Location", "value": "https://[Marisol"}])
    with pytest.raises(FormatError, match="holds a malformed URL, form or token") as caught:
        capture_of(har.read(file(odd), "x.har"), "x.har")
    assert "Marisol" not in str(caught.value)
