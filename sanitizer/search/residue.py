"""What a cassette says beyond the format's own words, with the places: all that could say something about a person. Pure.

A person may be called Sequence, or have a password that is a pump model; both stand on every cassette and say nothing. So a value that was
found is looked for a second time where only these are left out, each fixed before anybody was recorded:
names of members, keys and headers that the policy of tfx has (not user rules); texts that are an enumerated word, a literal, a
link or a page of it, whole and letter for letter; dates of the synthetic window; texts of one of its patterns under a name whose rules
all keep such texts (part numbers); hosts and path templates; whole stand-ins; the published key and its signatures; numbers too short to
be anybody's. Knows the format, and nothing of the walk.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import unquote_plus, urlsplit

from sanitizer.check import COUNTED
from sanitizer.files.cassette_names import PLAIN
from sanitizer.places.pumplogs import ENVELOPE, LISTS
from sanitizer.policy.known_names import known_to
from sanitizer.policy.policy import DOMAINED, Domain, Rule, policy
from sanitizer.replacements.actions import ACTIONS, PHRASES
from sanitizer.replacements.epoch import BIRTH, COOKIE_AGE, COOKIE_EXPIRED, COOKIE_EXPIRES, EXPIRES, ISSUED, is_inside
from sanitizer.replacements.fields import MS_OF_DAY, SECOND
from sanitizer.replacements.leaves import CHALLENGE_HEADER, CLIENT_IDS, FULL_NAME
from sanitizer.replacements.ordinals import KINDS, NUMBERS
from sanitizer.replacements.tokens import opened
from sanitizer.search.forms import SHORTEST_DIGITS
from tandem.endpoints import BY_NAME
from tandem.eras import ERAS
from tandem.events import EVENTS
from tandem.records import Records
from tandem.regions import HOSTS, REGIONS
from tfx.cassette import VALUES, Cassette
from tfx.codec import decoded
from tfx.errors import FormatError, RefusedError
from tfx.exchange import Exchange, Headers
from tfx.jsonbody import Json, parse, write
from tfx.signing import is_ours, jwks


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Piece:
    """One text, number or run of bytes (`is_raw`); `exchange` counts as on the cassette, 0 for its head."""

    exchange: int
    place: str
    text: bytes
    is_raw: bool = False

    def __repr__(self) -> str:
        return f"Piece(#{self.exchange} {self.place})"


def pieces(cassette: Cassette) -> Iterator[Piece]:
    """Everything on a cassette that is not the format's own."""
    heads = {
        "name": " ".join(word for word in re.split(r"[._-]", cassette.name) if word not in PLAIN),
        "era": "" if cassette.era in ERAS else cassette.era,
        "region": "" if cassette.region in REGIONS else cassette.region,
        "policy.values": "" if cassette.values in VALUES else cassette.values,
        "rules": " ".join(word for word in cassette.rules if word not in ACTIONS and word not in COUNTED),
    }
    yield from _told(0, ((place, text) for place, text in heads.items()))
    for number, exchange in enumerate(cassette.exchanges, 1):
        yield from _told(number, _of_exchange(exchange))


def _told(number: int, found: Iterable[tuple[str, str | bytes | Records]]) -> Iterator[Piece]:
    for place, text in found:
        if text:
            is_raw = isinstance(text, Records)
            raw = (
                text.to_bytes() if isinstance(text, Records) else text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            )
            yield Piece(exchange=number, place=place, text=raw, is_raw=is_raw)


Found = Iterator[tuple[str, "str | bytes | Records"]]


def _of_exchange(exchange: Exchange) -> Found:
    request, response = exchange.request, exchange.response
    yield from _of_url(request.url, "request url", request.method)
    if response.reason not in PHRASES:
        yield "response reason", response.reason
    yield "replay.ignore", " ".join(place for place in exchange.terms.ignore if place.partition(".")[2] not in _names())
    for way, headers, body in (("request", request.headers, request.body), ("response", response.headers, response.body)):
        for name, value in headers:
            if name.lower() not in _names():
                yield f"{way} header", name
            yield from _of_header(name.lower(), value, f"{way} header.{name if name.lower() in _names() else '<another name>'}")
        yield from _of_body(headers, body, f"{way} body")


# --- the format's own words


@cache
def _names() -> frozenset[str]:
    return frozenset({*known_to(policy()), *ENVELOPE, *LISTS})


@cache
def _words() -> frozenset[str]:
    """Whole texts that stand on cassettes whoever is recorded."""
    rules = policy()
    literals = (rule.argument for rule in _every_rule() if rule.word == "literal")
    enumerated = (word for domain in rules.domains.values() for word in domain.words)
    fixed = (BIRTH, f"{BIRTH}T00:00:00", COOKIE_AGE, COOKIE_EXPIRED, COOKIE_EXPIRES, "0", *CLIENT_IDS)
    return frozenset({*literals, *enumerated, *fixed, *rules.links, *rules.pages.values()})


def _every_rule() -> Iterator[Rule]:
    rules = policy()
    for tables in (rules.paths, rules.queries, rules.forms, rules.headers):
        yield from (rule for table in tables.values() for rule in table.values())
    yield from rules.cookie_attributes.values()
    for tree in (*rules.bodies.values(), rules.errors, rules.claims):
        yield from tree.leaves()


@cache
def _patterns() -> dict[str, tuple[Domain, ...]]:
    """The domains of texts by the last name of their places, where every place of that name keeps what it has."""
    rules, found = policy(), dict[str, set[Rule]]()
    tables = [
        (key, rule)
        for part in (rules.paths, rules.queries, rules.forms, rules.headers)
        for one in part.values()
        for key, rule in one.items()
    ]
    nodes = [("", tree) for tree in (*rules.bodies.values(), rules.errors, rules.claims)]
    while nodes:
        name, node = nodes.pop()
        tables += [(name, node.rule)] if node.rule else []
        nodes += [*(node.members or {}).items(), *([(name, node.items)] if node.items else [])]
    for name, rule in (*tables, *rules.cookie_attributes.items()):
        found.setdefault(name, set()).update(() if rule.word == "drop" else (rule,))
    keeping = {name: every for name, every in found.items() if {rule.word for rule in every} <= DOMAINED}
    return {name: tuple(rules.domains[rule.argument] for rule in every) for name, every in keeping.items()}


def _is_own(name: str, text: str) -> bool:
    """Whether a text is the format's own under that name. Not by `Domain.holds`: the rules' own judgement is what is doubted here."""
    if (
        text in _words()
        or (text[4:5] == "-" and is_inside(text))
        or FULL_NAME.match(text)
        or any(kind.image(text) for kind in KINDS.values())
    ):
        return True
    domains = _patterns().get(name, ())
    if any(domain.pattern is not None and domain.pattern.fullmatch(text) for domain in domains):
        return True
    return any(domain.words.issuperset(re.split(r", ?| ", text)) for domain in domains)  # a scope is a list of words


def _is_own_number(name: str, value: float) -> bool:
    """Whether a number is a stand-in, a constant, or of the few that a field of that very name may hold (part numbers), or short."""
    if (type(value) is int and abs(value) < _LEAST_NUMBER) or any(KINDS[kind].image(str(value)) for kind in NUMBERS):
        return True
    if value in (ISSUED, EXPIRES) or (name in _times_of_day() and 0 <= value < MS_OF_DAY and value % SECOND == 0):
        return True
    return any(low <= value <= high for low, high in policy().bounds.get(name, ()))


@cache
def _times_of_day() -> frozenset[str]:
    """Properties of pump events that say a time of day, which may have as many digits as a serial number and is no other for it."""
    return frozenset(field.name for event in EVENTS.values() for field in event.fields if field.time == "ms_of_day")


_LEAST_NUMBER: Final = 10 ** (SHORTEST_DIGITS - 1)
"""A shorter number identifies nobody; the search leaves it out, too."""


# --- what is left of each part


def _of_text(name: str, text: str, place: str) -> Found:
    if _is_own(name, text):
        return
    if text.startswith("ey") and is_ours(text):
        yield from _of_json(opened(text)[1], f"{place}.claims")
    elif "/" in text or "?" in text:
        yield from _of_url(text, place)
    else:
        yield place, text


def _of_json(value: Json, place: str, name: str = "") -> Found:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _names():
                yield place, key
            yield from _of_json(item, f"{place}.{key if key in _names() else '<another name>'}", key)
    elif isinstance(value, list):
        if all(type(item) is int or type(item) is float for item in value):
            yield place, write(value)
        else:
            for index, item in enumerate(value):
                yield from _of_json(item, f"{place}[{index}]", name)
    elif isinstance(value, str):
        yield from _of_text(name, value, place)
    elif isinstance(value, int | float) and not isinstance(value, bool) and not _is_own_number(name, value):
        yield place, write(value)


_ABSOLUTE: Final = re.compile(r"https?://", re.IGNORECASE)


def _of_url(url: str, place: str, method: str = "GET") -> Found:
    """The identifiers in a URL's path and what stands in its query; all of it where nobody knows where it leads."""
    try:
        parts = urlsplit(url)
    except ValueError:
        yield place, url
        return
    front, path = parts.netloc.lower().removesuffix(":443"), parts.path
    if (front and front not in HOSTS) or parts.fragment or (front and not _ABSOLUTE.match(url)):
        yield place, url
        return
    kinds = {HOSTS[front]} if front else set(HOSTS.values())
    known = [one for one in BY_NAME.values() if one.host in kinds and method in ("GET", one.method)]
    found = next((match for one in known if (match := one.pattern.match(path or "/"))), None)
    if found:
        yield from ((f"{place} path.{key}", value) for key, value in found.groupdict().items() if not _is_own(key, value))
    elif not any(f"{kind}:{path}" in policy().links for kind in (*kinds, "any")):
        yield place, path
    yield from _of_pairs(parts.query, f"{place} query")


def _of_pairs(text: str, place: str) -> Found:
    for pair in text.split("&") if text else ():
        raw_key, _, raw = pair.partition("=")
        key, value = unquote_plus(raw_key), unquote_plus(raw)
        if key not in _names():
            yield place, raw_key
        for one, two in _of_text(key, value, f"{place}.{key if key in _names() else '<another name>'}"):
            yield one, raw if two == value else two


def _of_header(name: str, value: str, place: str) -> Found:
    if name in ("cookie", "set-cookie"):
        for pair in value.split(";"):
            key, _, inner = pair.strip().partition("=")
            if not (policy().cookie_names.fullmatch(key) or key.lower() in _names() or KINDS["cookie-name"].image(key)):
                yield place, key
            yield from _of_text(key.lower(), inner, place)
    elif name == "authorization" and KINDS["access-token"].image(value.removeprefix("Bearer ")):
        return
    elif not (name == "www-authenticate" and CHALLENGE_HEADER.match(value)):
        yield from _of_text(name, value, place)


def _of_body(headers: Headers, body: bytes, place: str) -> Found:
    try:
        text = decoded(headers, body)
    except RefusedError:
        yield place, body
        return
    media = headers.get("content-type").lower().partition(";")[0].strip()
    try:
        if text in _pages():
            return
        if media == "application/x-www-form-urlencoded":
            yield from _of_pairs(text.decode("ascii"), place)
            return
        value = parse(text)
    except (FormatError, ValueError):
        yield place, text
        return
    if value == jwks():
        return
    # Records are bytes: the digits with which a file writes them identify nobody.
    records = _records(value)
    yield from [(place, records)] if records else _of_json(value, place)


@cache
def _pages() -> frozenset[bytes]:
    return frozenset(page.encode("utf-8") for page in ("", *policy().pages.values()))


def _records(value: Json) -> Records | None:
    try:
        return Records.from_base64(value) if isinstance(value, str) and value else None
    except FormatError:
        return None
