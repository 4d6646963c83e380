"""vcrpy cassettes, format version 1, JSON or YAML. Pure.

What the format cannot carry, and a cassette read back therefore lacks: Content-Encoding (vcrpy answers with the decoded body, so the
header goes), the order of header lines in YAML (its serializer sorts them), the order of lines of one name among others, a second
request header of one name, and the terms of replay. vcrpy itself also ignores repeated reads, windows and everything else that
`tfx replay` matches by meaning.
"""

from typing import cast

from sanitizer.audit.findings import Finding
from sanitizer.formats.bodies import as_seen, as_wire, measured
from sanitizer.formats.nodes import base64_bytes, lines, listing, mapping, odd, status, string, text_bytes
from sanitizer.formats.recording import Numbered, Recording, entry_refused, hinted, started, to_tandem
from sanitizer.formats.safe_yaml import library
from tfx.cassette import Cassette
from tfx.errors import FormatError, UsageError
from tfx.exchange import Exchange, Headers, Request, Response

_VERSION = 1


def read(value: object, where: str, *, leaves_out: bool = False) -> Recording:
    """The recording in the value of a vcrpy cassette; `leaves_out`: an interaction that is none is named in it and no error.

    Raises:
        FormatError: it is no vcrpy cassette of version 1, or not a whole one.
    """
    if not isinstance(value, dict) or "interactions" not in value:
        raise FormatError(
            f"{where} is not a vcrpy cassette of version 1; one from before vcrpy 1.0 is migrated with: python -m vcr.migration {where}"
        )
    file = mapping(value, where)
    if file.get("version") != _VERSION:
        # It is the last line of a YAML cassette; without it the file may be cut anywhere and still be YAML.
        raise odd(where, "does not end in `version: 1`")
    entries: list[Numbered] = []
    refused: list[Finding] = []
    times, elsewhere = [], list[int]()
    for index, node in enumerate(listing(file["interactions"], f"{where} interactions")):
        place = f"{where} interactions[{index}]"
        try:
            interaction = mapping(node, place)
            exchange = _exchange(interaction, place)
            time = started(interaction.get("recorded_at"), f"{place}.recorded_at")
        except FormatError as error:
            if not leaves_out:
                raise
            refused.append(entry_refused(index + 1, error, place))
            continue
        if not to_tandem(exchange.request.url):
            elsewhere.append(index + 1)
            continue
        entries.append((index + 1, exchange))
        times.append(time)
    metadata = file.get("metadata")
    clock = max((time for time in times if time), default=None)
    return hinted(entries, elsewhere, clock, metadata.get("tfx") if isinstance(metadata, dict) else None, refused)


def _exchange(interaction: "dict[str, object] | object", place: str) -> Exchange:
    parts = mapping(interaction, place)
    sent, got = mapping(parts.get("request"), f"{place}.request"), mapping(parts.get("response"), f"{place}.response")
    state = mapping(got.get("status"), f"{place}.response.status")
    asked = _body(sent.get("body"), f"{place}.request.body")
    answer = _body(got.get("body"), f"{place}.response.body")
    headers = _headers(got.get("headers"), f"{place}.response.headers")
    return Exchange(
        request=Request(
            method=string(sent.get("method"), f"{place}.request.method").upper(),
            url=string(sent.get("uri"), f"{place}.request.uri"),
            headers=_headers(sent.get("headers"), f"{place}.request.headers"),
            body=asked,
        ),
        response=Response(
            status=status(state.get("code"), f"{place}.response.status.code"),
            reason=string(state.get("message") or "", f"{place}.response.status.message"),
            headers=as_wire(headers, answer),
            body=answer,
        ),
    )


def _headers(value: object, place: str) -> Headers:
    found = []
    for name, values in mapping(value or {}, place).items():
        several = values if isinstance(values, list) else [values]
        found += [(name, string(one, place)) for one in several]
    return lines(found)


def _body(value: object, place: str) -> bytes:
    """A body as bytes: it stands as text, as `!!binary`, or in an object with one of them."""
    if isinstance(value, dict):
        if "base64_string" in value:
            return base64_bytes(string(value["base64_string"], place), place)
        value = cast("dict[str, object]", value).get("string")
    if value is None:
        return b""
    return value if isinstance(value, bytes) else text_bytes(string(value, place), place)


def write(cassette: Cassette, form: str) -> bytes:
    """The cassette as vcrpy's own serializer writes it; `form` is `yaml` or `json`.

    Raises:
        UsageError: vcrpy is not installed, or a body is not text and the form is JSON.
    """
    serialize = library("vcr.serialize").serialize
    request = library("vcr.request").Request
    clock = cassette.clock.strftime("%Y-%m-%dT%H:%M:%SZ")
    requests, responses = [], []
    for one in cassette.exchanges:
        headers, body = as_seen(one.request.headers, one.request.body)
        requests.append(request(one.request.method, one.request.url, body or None, dict(measured(headers, body))))
        responses.append(_response(one.response))
    content = {
        "requests": requests,
        "responses": responses,
        "metadata": {"tfx": {"clock": clock, "era": cassette.era, "region": cassette.region}},
    }
    try:
        text: str = serialize(content, library(f"vcr.serializers.{form}serializer"))
    except TypeError:
        raise UsageError("a body on this cassette is not text, which vcrpy's JSON cannot hold; name the file .yaml instead") from None
    return text.encode("utf-8")


def _response(response: Response) -> dict[str, object]:
    headers, body = as_seen(response.headers, response.body)
    grouped: dict[str, list[str]] = {}
    for name, value in measured(headers, body):
        grouped.setdefault(name, []).append(value)
    return {
        "status": {"code": response.status, "message": response.reason},
        "headers": grouped,
        "body": {"string": body},
    }
