"""How each kind of value is changed, and which values can be the result of that. Pure."""

import re
from collections.abc import Callable, Iterator
from typing import TypeGuard

from sanitizer.policy.policy import Policy
from sanitizer.replacements import epoch
from sanitizer.replacements.epoch import Odd
from sanitizer.replacements.fields import KNOWN_CODES
from sanitizer.replacements.ordinal_order import Ordinal
from sanitizer.replacements.ordinals import KINDS, NUMBER, NUMBERS
from sanitizer.run import Run
from tandem.regions import REGIONS
from tfx.jsonbody import Json

CLIENT_IDS = frozenset(one for region in REGIONS.values() for one in (region.client_id, *region.retired_client_ids))


def blank(value: Json) -> Json:
    """Nothing, of the same type."""
    if value is None or isinstance(value, bool):
        return None if value is None else False
    if isinstance(value, int | float):
        return 0
    if isinstance(value, str):
        return ""
    return [] if isinstance(value, list) else {}


def is_blank(value: Json) -> bool:
    """Whether a leaf or container says nothing: 0.0 and -0.0 are two more ways to write 0."""
    return value is None or value is False or (type(value) is not float and value in ("", 0, [], {}))


def text_of(value: Json) -> str:
    """A text leaf; Odd for anything else."""
    if not isinstance(value, str):
        raise Odd
    return value


def ordinal(value: Json, name: str, run: Run) -> Json:
    """The first-seen stand-in, as a number where the leaf is a number."""
    if not _may_be(value, name):
        raise Odd
    if value == 0:
        return value  # like an empty text, a blank identifies nobody
    changed = run.ordinals.stand_in(KINDS[name], str(value))
    return changed if isinstance(value, str) else int(changed)


def _may_be(value: Json, name: str) -> TypeGuard[str | int]:
    return isinstance(value, str) or (type(value) is int and name in NUMBERS)


def holds_ordinal(value: Json, name: str) -> bool:
    """Whether a leaf is a stand-in of that kind."""
    return _may_be(value, name) and (value == "" or KINDS[name].image(str(value)))


def none(_value: Json) -> Iterator[Ordinal]:
    """Of a leaf that is made of no stand-in."""
    return iter(())


def ordinals_of(value: Json, *names: str) -> Iterator[Ordinal]:
    """The stand-in a leaf is, of the first of these kinds that it is of; none for a blank."""
    found = ((KINDS[name].numbering, KINDS[name].number(str(value))) for name in names)
    yield from (one for one in (next((each for each in found if each[1]), None),) if one)


def ordinals_of_name(value: Json) -> Iterator[Ordinal]:
    """The stand-ins of which a whole name is made."""
    for word, name in zip(str(value).split(" "), ("given", "family"), strict=False):
        yield from ordinals_of(word, name)


def ordinals_of_bearer(value: Json) -> Iterator[Ordinal]:
    """The stand-in token of an Authorization line."""
    return ordinals_of(str(value).removeprefix("Bearer "), "access-token")


def kept(value: Json, domain: str, run: Run) -> Json:
    """The leaf itself, if it lies in its domain."""
    if not run.policy.domains[domain].holds(value):
        raise Odd
    return value


def literal(value: Json, argument: str, _run: Run) -> Json:
    """One fixed text; a blank stays one."""
    if not isinstance(value, str):
        raise Odd
    return argument if value else value


def constant_time(moment: int) -> Callable[[Json, str, Run], Json]:
    """One instant for every token: Unix seconds."""

    def change(value: Json, _argument: str, _run: Run) -> Json:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Odd
        return moment if value else 0

    return change


def full_name(value: Json, _argument: str, run: Run) -> Json:
    """`Given1 Family1`, of the stand-ins its parts have, or get by splitting at the last space."""
    text = " ".join(text_of(value).split())
    if not text:
        return value
    words = text.split(" ")
    cuts = [cut for cut in range(1, len(words)) if _is_split(run, words, cut)] or [max(len(words) - 1, 1)]
    given, family = " ".join(words[: cuts[0]]), " ".join(words[cuts[0] :])
    parts = [run.ordinals.stand_in(KINDS["given"], given), run.ordinals.stand_in(KINDS["family"], family)]
    changed = " ".join(part for part in parts if part)
    run.ordinals.replaced("full-name", text, changed)
    return changed


def _is_split(run: Run, words: list[str], cut: int) -> bool:
    given, family = " ".join(words[:cut]), " ".join(words[cut:])
    return run.ordinals.knows(KINDS["given"], given) and run.ordinals.knows(KINDS["family"], family)


FULL_NAME = re.compile(rf"(?:Given{NUMBER}(?: Family{NUMBER})?)?\Z")


def birth(value: Json, _argument: str, run: Run) -> Json:
    """Everybody is born on the same day."""
    text = text_of(value)
    if not text:
        return text
    run.epoch.iso(text)  # Odd unless it is a date
    run.ordinals.replaced("birth", text[:10], epoch.BIRTH)
    return epoch.BIRTH + ("T00:00:00" if "T" in text else "")


def id_kind(value: Json) -> str:
    """Whether an identifier of no fixed shape is a UUID, so that it shares its stand-in with the same UUID elsewhere."""
    return "uuid" if isinstance(value, str) and _UUID.match(value) else "subject"


_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")


def country(value: Json, _argument: str, run: Run) -> Json:
    """`US-CA` -> `US`: a state may hold few people, and none of the clients asks for it."""
    if not _COUNTRY.match(text_of(value)) or not is_country(text_of(value)[:2], run.policy):
        raise Odd
    return text_of(value)[:2]


_COUNTRY = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?\Z")


def is_country(value: Json, policy: Policy) -> bool:
    """Whether a text is the code of a country that there is."""
    return isinstance(value, str) and policy.domains["country"].holds(value)


def codes(value: Json, _argument: str, _run: Run) -> Json:
    """A comma-separated list of event codes, as clients ask for them: known ones, each once; a list of strangers is Odd."""
    text = text_of(value)
    known = ",".join(code for code in dict.fromkeys(text.split(",")) if code in _CODES)
    if text and not known:  # an empty list would ask for all
        raise Odd
    return known


_CODES = frozenset(map(str, KNOWN_CODES))


def are_codes(value: Json) -> bool:
    """Whether a text is a list of event codes; the empty one asks for all."""
    if not isinstance(value, str):
        return False
    found = value.split(",") if value else []
    return len(set(found)) == len(found) and _CODES.issuperset(found)


def words(value: Json, domain: str, run: Run) -> Json:
    """A list in one text, as `scope` is: every word must be in the domain and stands once; others go."""
    kept = (word for word in text_of(value).split(" ") if run.policy.domains[domain].holds(word))
    return " ".join(dict.fromkeys(kept))


def holds_words(value: Json, domain: str, run: Run) -> bool:
    """Whether a text is as `words` writes it."""
    return isinstance(value, str) and words(value, domain, run) == value


def listed(value: Json, domain: str, run: Run) -> Json:
    """The list of a header line: a whole line of the domain, else its words that are in the domain, each once and without weights."""
    text, known = text_of(value), {word.lower(): word for word in run.policy.domains[domain].words}
    if text in known.values():
        return text
    found = (known.get(part.partition(";")[0].strip().lower()) for part in text.split(",") if not _NEVER.search(part))
    kept = dict.fromkeys(word for word in found if word)
    if text and not kept:
        raise Odd
    return ", ".join(kept)


_NEVER = re.compile(r";\s*q=0(?:\.0*)?\s*\Z")
"""The weight of what is refused."""


def holds_listed(value: Json, domain: str, run: Run) -> bool:
    """Whether a line is as `listed` writes it."""
    try:
        return listed(value, domain, run) == value
    except Odd:
        return False


def own_status(value: Json, _argument: str, run: Run) -> Json:
    """What an answer says its status is: the one it has."""
    if type(value) is not int:
        raise Odd
    return run.status if value else value


def holds_own_status(value: Json, _argument: str, run: Run) -> bool:
    """Whether an answer says the status it has."""
    return type(value) is int and value == run.status


def problem(value: Json, domain: str, run: Run) -> Json:
    """The `type` of a problem: a URL of the domain, which ends in the status of the answer where it ends in one."""
    return _STATUS.sub(f"/{run.status}", text_of(kept(value, domain, run)))


_STATUS = re.compile(r"/\d{3}\Z")


def holds_problem(value: Json, domain: str, run: Run) -> bool:
    """Whether a URL is as `problem` writes it."""
    return run.policy.domains[domain].holds(value) and problem(value, domain, run) == value


def challenge_header(value: Json, _argument: str, _run: Run) -> Json:
    """`WWW-Authenticate`: the scheme and the error code; descriptions may quote the login or a date."""
    found = re.match(r'Bearer(?:.*?\berror="(invalid_token|invalid_request|insufficient_scope)")?', text_of(value))
    if not found:
        raise Odd
    return f'Bearer error="{found[1]}"' if found[1] else "Bearer"


CHALLENGE_HEADER = re.compile(r'Bearer(?: error="(?:invalid_token|invalid_request|insufficient_scope)")?\Z')


def bearer(value: Json, _argument: str, run: Run) -> Json:
    """An Authorization line follows the access token."""
    scheme, _, token = text_of(value).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Odd
    return f"Bearer {run.ordinals.stand_in(KINDS['access-token'], token.strip())}"


def holds_bearer(value: Json) -> bool:
    """Whether an Authorization line carries a stand-in."""
    return isinstance(value, str) and value.startswith("Bearer ") and KINDS["access-token"].image(value[7:])


def access_token(value: Json, _argument: str, run: Run) -> Json:
    """The stand-in for an access token, which `at_hash` follows."""
    changed = text_of(ordinal(value, "access-token", run))
    run.access_token = changed
    return changed


def holds_access_token(value: Json, _argument: str, run: Run) -> bool:
    """Whether a leaf is a stand-in access token; if so, it is what an `at_hash` has to follow."""
    if not holds_ordinal(value, "access-token"):
        return False
    run.access_token = str(value)
    return True


def token_hash(value: Json, _argument: str, run: Run) -> Json:
    """The `at_hash` of the stand-in access token of the same answer."""
    if not text_of(value):
        return value
    changed = token_hash_of(run)
    run.ordinals.replaced("token-hash", text_of(value), changed)
    return changed


def token_hash_of(run: Run) -> str:
    """The `at_hash` of the access token seen last."""
    from tfx.signing import at_hash

    return at_hash(run.access_token)


def is_text(value: Json, pattern: re.Pattern[str]) -> bool:
    """Whether a leaf is a text of that pattern."""
    return isinstance(value, str) and pattern.match(value) is not None


def wait(value: Json, _argument: str, _run: Run) -> Json:
    """Seconds of a `Retry-After`: rounded up the more, the more they are, so that they say how long and nothing else."""
    text = text_of(value)
    if text and not (_SECONDS.match(text) and int(text) <= _STEPS[-1][0]):
        raise Odd
    return _rounded(text)


_SECONDS = re.compile(r"[0-9]{1,5}\Z")
_STEPS = ((60, 1), (600, 10), (3600, 60), (86_400, 3600))
"""Up to so many seconds, by so many."""


def _rounded(text: str) -> str:
    seconds = int(text or "0")
    step = next((step for most, step in _STEPS if seconds <= most), 1 << 20)
    return text and str(-(-seconds // step) * step)


def holds_wait(value: Json) -> bool:
    """Whether a text is seconds as `wait` rounds them."""
    return value == "" or (isinstance(value, str) and _SECONDS.match(value) is not None and _rounded(value) == value)


def blanked(value: Json, _argument: str, _run: Run) -> Json:
    """Nothing, by rule."""
    return blank(value)


def client_id(value: Json, _argument: str, _run: Run) -> Json:
    """Client ids are public; one nobody knows is not."""
    if value not in CLIENT_IDS:
        raise Odd
    return value
