"""URLs wherever they occur: request lines, Location, Referer, redirect_uri, URLs inside queries. One set of rules for all."""

from collections import Counter
from collections.abc import Mapping
from urllib.parse import quote, unquote_plus, urljoin, urlsplit

from sanitizer.places.visitors import Visitor
from sanitizer.policy.policy import Rule
from sanitizer.policy.suggest import for_key
from tandem.endpoints import BY_NAME, Place, locate
from tandem.regions import HOSTS, SSO_URL
from tfx.jsonbody import Json

_DEEPEST = 3
_MOST_TIMES = 2
"""How often one key may stand in a query; more of them say something by their order."""
_BARE = ":,/@"


def address(visitor: Visitor, url: str, place: Place) -> str | None:
    """The URL of a request that leads to this place; None where an identifier in its path cannot be replaced."""
    rules = visitor.run.policy.paths[place.endpoint.name]
    values = {}
    for key, value in place.path_values.items():
        changed = visitor.leaf(rules[key], value, f"request path.{key}") if key in rules else ""
        if not isinstance(changed, str) or not changed:
            return None
        values[key] = changed
    parts = urlsplit(url)
    path = place.endpoint.path.format(**{key: quote(value, safe=_braces(parts.path)) for key, value in values.items()})
    found = query(visitor, visitor.run.policy.queries[place.endpoint.name], parts.query, "request query", place.endpoint.name)
    if parts.fragment:
        visitor.run.unkept.value(parts.fragment)
        visitor.note("request fragment", "a fragment, which is never sent")
    return f"https://{_host(parts.netloc)}{path}" + (f"?{found}" if found else "")


def link(visitor: Visitor, value: Json, place: str, *, depth: int = 0) -> str:
    """A URL that something points to: absolute or relative, with its own query rules; anything unknown is cut off and reported."""
    if not isinstance(value, str):
        visitor.run.unkept.value(value)
        return str(visitor.unknown("", place, "not a URL"))
    policy = visitor.run.policy
    if not value or value in policy.links:
        return value
    visitor.count("url", place)
    changed = _link(visitor, value, place, depth)
    if not visitor.changes:
        if changed != value:
            visitor.note(place, "a URL that is not written as the sanitizer writes it")
        return value
    return changed


def _link(visitor: Visitor, value: str, place: str, depth: int) -> str:
    policy = visitor.run.policy
    try:
        full = urljoin(SSO_URL, value)
        parts = urlsplit(full)
    except ValueError:  # its text quotes the host
        full, parts = "", urlsplit("")
    kind = HOSTS.get(_host(parts.netloc))
    if kind is None or parts.scheme != "https" or depth > _DEEPEST:
        visitor.run.unkept.address(value)
        visitor.note(place, "a URL outside Tandem Source" if depth <= _DEEPEST else "URLs nested too deep")
        return ""
    is_absolute = "//" in value.partition("?")[0]
    front = f"https://{_host(parts.netloc)}" if is_absolute else ""
    found = locate("GET", full) or locate("POST", full)
    path, name = _path(visitor, parts.path, kind, found, place)
    if name is None:
        visitor.run.unkept.address(value)
        visitor.note(place, "a URL whose path has no rule")
        return f"{front}/"
    rules = policy.queries[name] if name else {}
    text = query(visitor, rules, parts.query, f"{place} query", name, depth=depth + 1)
    if parts.fragment:
        visitor.run.unkept.value(parts.fragment)
        visitor.note(place, "a URL with a fragment")
    return front + path + (f"?{text}" if text else "")


def _path(visitor: Visitor, path: str, kind: str, found: Place | None, place: str) -> tuple[str, str | None]:
    """The path as it may stand, and the endpoint whose query rules count: "" for none, None where the path is unknown."""
    policy = visitor.run.policy
    for one in (f"{kind}:{path}", f"any:{path}"):
        if one in policy.links:
            return path, policy.links[one]
    if found is None:
        return "/", None
    values = {}
    for key, value in found.path_values.items():
        changed = visitor.leaf(policy.paths[found.endpoint.name][key], value, f"{place} path.{key}")
        if not isinstance(changed, str) or not changed:
            return "/", None
        values[key] = quote(changed, safe=_braces(path))
    return BY_NAME[found.endpoint.name].path.format(**values) if path else "", found.endpoint.name


def query(visitor: Visitor, rules: Mapping[str, Rule], text: str, place: str, endpoint: str, *, depth: int = 0) -> str:
    """A query or form in the encoding it had: blanks and duplicates stay, keys without a rule go."""
    if not text:
        return text
    out: list[str] = []
    often: Counter[str] = Counter()
    for pair in text.split("&"):
        raw_key, equals, raw = pair.partition("=")
        key = unquote_plus(raw_key)
        rule = rules.get(key)
        if rule is None:
            visitor.run.unkept.value({key: unquote_plus(raw)})
            hint = for_key(endpoint, place.rpartition(" ")[2], visitor.pasted(key), unquote_plus(raw), visitor.run.policy)
            visitor.note(f"{place}.{visitor.name(key)}", "a key without a rule", rule=hint)
            continue
        often[key] += 1
        if often[key] > _MOST_TIMES:
            visitor.run.unkept.value(unquote_plus(raw))
            visitor.note(f"{place}.{key}", "a key that stands there more than twice" + ("; removed" if visitor.changes else ""))
            continue
        value = unquote_plus(raw)
        where = f"{place}.{key}"
        changed = link(visitor, value, where, depth=depth) if rule.word == "url" else visitor.leaf(rule, value, where)
        out.append(f"{quote(key, safe='')}{equals}{_requoted(str(changed), text)}")
    return "&".join(out)


def _requoted(value: str, like: str) -> str:
    """The value percent-encoded, leaving bare what its query leaves bare anywhere and writing a space as it is written there."""
    bare = "".join(one for one in _BARE if one in like)
    text = quote(value, safe=bare)
    return text.replace("%20", "+") if "+" in like else text


def _braces(path: str) -> str:
    """What stays bare of a GUID in braces in a path: clients differ in whether they percent-encode them."""
    return "" if "%7b" in path.lower() else "{}"


def _host(netloc: str) -> str:
    return netloc.lower().removesuffix(":443")
