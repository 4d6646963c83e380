"""What converting a cassette to another era must know: its exchanges, and each pump's identifiers in both eras. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from replayer.matching.keys import Question, question_of
from tandem import pumplists
from tandem.eras import Era
from tfx import codec
from tfx.cassette import Cassette
from tfx.errors import CassetteError, FormatError
from tfx.exchange import Exchange
from tfx.jsonbody import Json, parse

__tracebackhide__ = True

OK: Final = 200
_FIRST_DEVICE: Final = 900_001


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class One:
    """An exchange with its number (from 1) and its request taken apart."""

    number: int
    exchange: Exchange
    question: Question

    def answer(self) -> Json:
        """Its answer as JSON.

        Raises:
            CassetteError: it is none.
        """
        response = self.exchange.response
        try:
            return parse(codec.decoded(response.headers, response.body))
        except FormatError as error:
            raise CassetteError(f"exchange #{self.number} does not hold the JSON its endpoint answers with; record it again") from error


@dataclass(slots=True, kw_only=True, repr=False)
class Tape:
    """What making one exchange needs to know of the others."""

    old: Era
    new: Era
    region: str
    all: tuple[One, ...]
    device_ids: dict[str, int] = field(default_factory=dict)
    assignment_ids: dict[str, str] = field(default_factory=dict)
    person: Json = None

    def of(self, endpoint: str) -> Iterator[One]:
        """The exchanges with this endpoint that were answered with 200."""
        return (one for one in self.all if one.question.endpoint == endpoint and one.exchange.status == OK)


def tape_of(cassette: Cassette, old: Era, new: Era) -> Tape:
    """The recording taken apart.

    Raises:
        CassetteError: a list of pumps is none.
    """
    numbered = enumerate(cassette.exchanges, start=1)
    every = tuple(One(number=number, exchange=exchange, question=question_of(exchange.request)) for number, exchange in numbered)
    tape = Tape(old=old, new=new, region=cassette.region, all=every)
    try:
        _learn(tape)
    except FormatError as error:
        raise CassetteError(f"{cassette.name} holds a list of pumps that is none ({error}); record it again") from error
    return tape


def _learn(tape: Tape) -> None:
    """Which pump is called what in the other era."""
    tape.person = next((one.answer() for one in tape.of("pumpers")), None)
    if tape.old.wire == "json":
        lists = (pumplists.objects(pumplists.members(one.answer(), "pumps"), "pumps") for one in tape.of("pumper"))
        named = [str(pump.get("assignmentId")) for pumps in lists for pump in pumps]
        devices = [
            one.question.place.path_values["assignmentId"]
            for one in tape.all
            if one.question.endpoint == "pump-logs" and one.question.place
        ]
        tape.device_ids = {name: _FIRST_DEVICE + at for at, name in enumerate(dict.fromkeys([*named, *devices]))}
        return
    known = {str(one.get("serialNumber")): str(one.get("assignmentId")) for one in _devices(tape.person)}
    lists = (pumplists.objects(one.answer(), "pumpeventmetadata") for one in tape.of("pump-event-metadata"))
    serials = {str(pump.get("tconnectDeviceId")): str(pump.get("serialNumber")) for pumps in lists for pump in pumps}
    devices = [
        one.question.place.path_values["tconnectDeviceId"]
        for one in tape.all
        if one.question.endpoint == "pump-events" and one.question.place
    ]
    for at, device in enumerate(dict.fromkeys([*serials, *devices]), start=_FIRST_DEVICE):
        tape.assignment_ids[device] = known.get(serials.get(device, "")) or f"00000000-0000-4000-8000-{at:012d}"


def _devices(person: Json) -> list[dict[str, Json]]:
    return pumplists.objects(pumplists.members(person, "devices") or [], "devices")
