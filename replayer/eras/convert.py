"""Convert a cassette of one era to another, so that old clients can use new recordings and new clients old ones. Pure.

A table (`endpoints.py`) says for each endpoint how its exchanges are made. Matching, windows and sign-in then work as for any cassette of
that era. What the recording lacks: tandem/pumplists.py names the missing members; device ids and assignment ids of the other era are stand-
ins; codes whose events have no place in a record count as not recorded. Responses that only exist in one era are left out: refused requests
(400) and the firewall's 403.
"""

from dataclasses import replace

from replayer.eras.endpoints import MAKERS, kept
from replayer.eras.recordings import tape_of
from replayer.matching.keys import Question
from tandem.eras import ERAS, Era
from tandem.refusals import GONE
from tandem.responses import response_of
from tfx.cassette import Cassette
from tfx.errors import CassetteError, FormatError, UsageError
from tfx.exchange import Response

__tracebackhide__ = True


def as_era(cassette: Cassette, era: str) -> Cassette:
    """The cassette as a client of that era would have recorded it.

    Raises:
        UsageError: there is no such era.
        CassetteError: the recording does not hold what it takes; the message says what is missing.
    """
    if era not in ERAS:
        raise UsageError(f"no era is called {era!r}; it is one of: {', '.join(ERAS)}")
    if era == cassette.era or cassette.era not in ERAS:
        return cassette
    tape = tape_of(cassette, ERAS[cassette.era], ERAS[era])
    table = MAKERS[tape.old.wire, tape.new.wire]
    try:
        made = tuple(new for one in tape.all for new in table.get(one.question.endpoint, kept)(one, tape))
    except FormatError as error:
        raise CassetteError(f"{cassette.name} cannot be served as of {era} ({error}); record it again, or replay it as recorded") from error
    return replace(cassette, era=era, exchanges=made)


def gone(question: Question, era: Era) -> Response | None:
    """What the service of an era says to a client of another, whose paths are gone; None if it takes the question."""
    is_gone = question.place is not None and era.name not in question.place.endpoint.eras
    return response_of(404, GONE, content_type="text/html") if is_gone else None
