"""Which field is an amount: every field of every event and every number of the settings is on one side or the other."""

import numpy as np

from sanitizer.policy.policy import policy
from sanitizer.replacements.fields import treatment
from sanitizer.values.amounts import AMOUNTS, FACTS, SETTINGS
from sanitizer.values.structure import Rows
from sanitizer.values.therapy import amounts
from tandem.events import EVENTS

STRUCTURE = {
    # numbers that are kept and are no amounts, each with the reason; enumerations, bit masks and versions are structure by their mark
    (3, "idp"): "which profile",
    (11, "preSuspendState"): "a state",
    (11, "rpaTimeout"): "minutes",
    (12, "preResumeState"): "a state",
    (60, "block"): "a place in memory",
    (60, "reason"): "a code",
    (61, "infusionSetType"): "a code",
    (65, "duration"): "minutes",
    (81, "batteryStatus"): "a state",
    (203, "swUpdateStatus"): "a state",
    (203, "metadataAndVersionStatus"): "a state",
    (203, "fullDlAndCrcStatus"): "a state",
    (203, "fileDlAndSideloadStatus"): "a state",
    (203, "externalFlashStatus"): "a state",
    (229, "exerciseTime"): "minutes",
    (256, "algorithmState"): "a state",
    (256, "interval"): "a kind of reading",
    (280, "extendedDurationRequested"): "minutes",
    (313, "weightUnit"): "a unit",
    (372, "interval"): "a kind of reading",
    (399, "interval"): "a kind of reading",
    (405, "sessionStopReason"): "a code",
    (406, "sessionJoinReason"): "a code",
    (447, "sessionStopReason"): "a code",
    (447, "stopSessionCode"): "a code",
    (477, "sessionJoinReason"): "a code",
    (480, "interval"): "a kind of reading",
    (486, "sessionStopReason"): "a code",
}
SESSION_DAYS = "sessionDuration"


def test_every_number_that_is_kept_is_an_amount_or_has_a_reason_not_to_be() -> None:
    undecided = {
        (code, field.name)
        for code, event in EVENTS.items()
        for field in event.fields
        if treatment(policy(), field) == "keep"
        and field.meaning == "none"
        and field.mark != "V"
        and field.name not in AMOUNTS.get(code, {})
        and field.name != SESSION_DAYS
    }
    assert undecided == set(STRUCTURE)


def test_every_amount_of_therapy_and_no_other_is_made() -> None:
    log = {
        code: Rows(
            seconds=np.array([500_000_000]),
            group=np.array([0]),
            sequence=np.array([code]),
            facts={field.name: np.array([1]) for field in FACTS[code]},
        )
        for code in AMOUNTS
    }
    made = amounts(log)
    assert {code: set(columns) for code, columns in made.items()} == {code: set(names) for code, names in AMOUNTS.items()}


def test_no_amount_is_read() -> None:
    read = {(code, field.name) for code, fields in FACTS.items() for field in fields}
    assert not read & {(code, name) for code, names in AMOUNTS.items() for name in names}


def test_every_amount_of_the_settings_has_its_constant() -> None:
    kept = {"mg-dl", "milliunits", "ratio", "weight"}
    flags = {"active", "dataEntryType"}  # of the quick bolus: on or off, grams or units
    for (endpoint, way), node in policy().bodies.items():
        for place, rule in _leaves(node):
            if way == "response" and rule in kept and place.rpartition(".")[2] not in flags:
                assert place in SETTINGS[endpoint], place


def _leaves(node: object, place: str = "") -> list[tuple[str, str]]:
    from sanitizer.policy.policy import Node

    assert isinstance(node, Node)
    own = [(place, node.rule.argument)] if node.rule else []
    below = [leaf for name, inner in (node.members or {}).items() for leaf in _leaves(inner, f"{place}.{name}".removeprefix("."))]
    return own + below + (_leaves(node.items, f"{place}[]") if node.items else [])
