"""What a rule can do to one value: change it, and recognise a value that it could have produced. Pure.

`change` raises Odd where the leaf is not what the rule is for; the visitor then blanks it. `holds` is the closure the check asks for:
it needs no secrets, because every stand-in can be recognised.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from sanitizer.replacements import epoch
from sanitizer.replacements.epoch import Odd
from sanitizer.replacements.leaves import (
    CHALLENGE_HEADER,
    CLIENT_IDS,
    FULL_NAME,
    access_token,
    are_codes,
    bearer,
    birth,
    blanked,
    challenge_header,
    client_id,
    codes,
    constant_time,
    country,
    full_name,
    holds_access_token,
    holds_bearer,
    holds_listed,
    holds_ordinal,
    holds_own_status,
    holds_problem,
    holds_wait,
    holds_words,
    id_kind,
    is_blank,
    is_country,
    is_text,
    kept,
    listed,
    literal,
    none,
    ordinal,
    ordinals_of,
    ordinals_of_bearer,
    ordinals_of_name,
    own_status,
    problem,
    text_of,
    token_hash,
    token_hash_of,
    wait,
    words,
)
from sanitizer.replacements.ordinal_order import Ordinal
from sanitizer.replacements.ordinals import KINDS
from sanitizer.run import Run
from tfx.jsonbody import Json

Change = Callable[[Json, str, Run], Json]
Holds = Callable[[Json, str, Run], bool]
Tells = Callable[[Json], Iterator[Ordinal]]

PHRASES = frozenset({"", *(status.phrase for status in HTTPStatus)})
"""What may stand behind a status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One word of the policy. `late` leaves are done after their siblings, whose stand-ins they are made of.

    `tells` says which stand-ins a leaf that holds is made of.
    """

    word: str
    change: Change
    holds: Holds
    says: str
    tells: Tells = none
    late: bool = False


def ordinal_action(name: str) -> Action:
    """The action of one kind of stand-in."""
    return Action(
        word=name,
        change=lambda value, _argument, run: ordinal(value, name, run),
        holds=lambda value, _argument, _run: holds_ordinal(value, name),
        says=KINDS[name].says,
        tells=lambda value: ordinals_of(value, name),
    )


_TABLE = (
    *(ordinal_action(name) for name in KINDS if name != "access-token"),
    Action(
        word="access-token",
        change=access_token,
        holds=holds_access_token,
        says=KINDS["access-token"].says,
        tells=lambda value: ordinals_of(value, "access-token"),
    ),
    Action(
        word="keep",
        change=kept,
        holds=lambda value, domain, run: run.policy.domains[domain].holds(value),
        says="outside its domain",
    ),
    Action(
        word="words",
        change=words,
        holds=holds_words,
        says="words outside their domain, or one twice",
    ),
    Action(word="listed", change=listed, holds=holds_listed, says="not a list of words of its domain, each once"),
    Action(word="own-status", change=own_status, holds=holds_own_status, says="not the status of the answer"),
    Action(word="problem", change=problem, holds=holds_problem, says="outside its domain, or another status than the answer's"),
    Action(word="literal", change=literal, holds=lambda value, argument, _policy: value in ("", argument), says="not the literal"),
    Action(
        word="date",
        change=lambda value, _argument, run: run.epoch.iso(text_of(value)) if value else value,
        holds=lambda value, _argument, _run: isinstance(value, str) and (not value or epoch.is_inside(value)),
        says="a date outside the synthetic window",
    ),
    Action(
        word="birth",
        change=birth,
        holds=lambda value, _argument, _run: value in ("", epoch.BIRTH, epoch.BIRTH + "T00:00:00"),
        says="not the constant birth date",
    ),
    Action(
        word="full-name",
        change=full_name,
        holds=lambda value, _argument, _run: is_text(value, FULL_NAME),
        says="not a stand-in name",
        tells=ordinals_of_name,
        late=True,
    ),
    Action(
        word="id",
        change=lambda value, _argument, run: ordinal(value, id_kind(value), run),
        holds=lambda value, _argument, _run: holds_ordinal(value, "uuid") or holds_ordinal(value, "subject"),
        says="not a stand-in identifier",
        tells=lambda value: ordinals_of(value, "uuid", "subject"),
    ),
    Action(
        word="country",
        change=country,
        holds=lambda value, _argument, run: value == "" or is_country(value, run.policy),
        says="more than a country",
    ),
    Action(word="codes", change=codes, holds=lambda value, _argument, _run: are_codes(value), says="not a list of event codes"),
    Action(
        word="client-id",
        change=client_id,
        holds=lambda value, _argument, _run: value == "" or value in CLIENT_IDS,
        says="not a client id of the service",
    ),
    Action(
        word="issued",
        change=constant_time(epoch.ISSUED),
        holds=lambda value, _argument, _run: type(value) is int and value == epoch.ISSUED,
        says="not the constant issue time",
    ),
    Action(
        word="expires",
        change=constant_time(epoch.EXPIRES),
        holds=lambda value, _argument, _run: type(value) is int and value == epoch.EXPIRES,
        says="not the constant expiry",
    ),
    Action(
        word="challenge-header",
        change=challenge_header,
        holds=lambda value, _argument, _run: value == "" or is_text(value, CHALLENGE_HEADER),
        says="more than a scheme and an error code",
    ),
    Action(
        word="bearer",
        change=bearer,
        holds=lambda value, _argument, _run: value == "" or holds_bearer(value),
        says="not a stand-in bearer token",
        tells=ordinals_of_bearer,
    ),
    Action(
        word="at-hash",
        change=token_hash,
        holds=lambda value, _argument, run: value in ("", token_hash_of(run)),
        says="not the hash of the stand-in token beside it",
    ),
    Action(word="wait", change=wait, holds=lambda value, _argument, _run: holds_wait(value), says="not a round number of seconds"),
    Action(word="blank", change=blanked, holds=lambda value, _argument, _run: is_blank(value), says="not blank"),
)

STRUCTURAL = ("url", "jwt", "cookies", "set-cookie", "cookie-expiry", "cookie-age", "length", "drop")
"""Rules whose value is taken apart and put together again, by `sanitizer.places.carriers` and `sanitizer.places.urls`."""


def _not_a_leaf(_value: Json, _argument: str, _run: Run) -> Json:
    raise Odd


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {action.word: action for action in _TABLE}
    | {word: Action(word=word, change=_not_a_leaf, holds=lambda *_: False, says="not readable", late=word == "jwt") for word in STRUCTURAL}
)
