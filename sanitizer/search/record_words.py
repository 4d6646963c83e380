"""The second look at pump records: seen numbers under 2^24 as 32-bit words and floats of a payload. Knows nothing of the rules.

In a stream of bytes such a number is three bytes behind a zero, which stand somewhere by chance; so only the four words of each payload are
compared, for a pump writes its numbers there. Of the ids of one account that hits one recording of 30 days in a thousand by chance.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sanitizer.audit.findings import Finding
from sanitizer.places.contents import content
from sanitizer.policy.policy import policy
from sanitizer.search.forms import SHORTEST_DIGITS
from sanitizer.search.scan import is_worth_finding
from tandem.endpoints import locate
from tfx.capture import Seen
from tfx.cassette import Cassette
from tfx.exchange import Exchange

_LEAST: Final = 10 ** (SHORTEST_DIGITS - 1)
_BEYOND: Final = 1 << 24
"""From here on the numbers are looked for among all bytes (`forms`); and below it every one has a float32."""
_WORDS: Final = (">u4", "<u4", ">f4", "<f4")


def in_records(cassette: Cassette, seen: Iterable[Seen], numbers: Sequence[int] = ()) -> tuple[Finding, ...]:
    """Seen numbers that are words of the cassette's pump records; `numbers` as `scan.search` has them."""
    wanted = {int(one.value): one.kind for one in seen if _is_wanted(one.value)}
    if not wanted:
        return ()
    found: dict[Finding, None] = {}
    for index, exchange in enumerate(cassette.exchanges, 1):
        if _holds_records(exchange):
            place = numbers[index - 1] if numbers else index
            found |= {
                Finding(exchange=place, place="response body[]", kind=f"{wanted[one]}, 32-bit number"): None
                for one in _met(exchange, wanted)
            }
    return tuple(found)


def _is_wanted(value: str) -> bool:
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(_BEYOND))) or not is_worth_finding(value):
        return False
    # Numbers of parts stand in records of anybody, and a serial number may be one.
    return _LEAST <= int(value) < _BEYOND and not any(low <= int(value) <= high for low, high in policy().bounds["swPartNum"])


def _holds_records(exchange: Exchange) -> bool:
    found = locate(exchange.request.method, exchange.request.url)
    return found is not None and policy().special.get(found.endpoint.name) == "records"


def _met(exchange: Exchange, wanted: Iterable[int]) -> Iterator[int]:
    value = content(exchange.response.headers, exchange.response.body, "response body").value
    if not isinstance(value, str) or not value:
        return
    import numpy as np

    from tandem.events import PAYLOAD_START
    from tandem.records import Records

    payload = np.ascontiguousarray(Records.from_base64(value).rows[:, PAYLOAD_START:])
    numbers = np.array(sorted(wanted))
    for words in _WORDS:
        yield from numbers[np.isin(numbers, payload.view(words))].tolist()
