"""The second look at pump records: names in a payload, and seen numbers under 2^24 as its 32-bit words. Knows nothing of the rules.

In a stream of bytes such a number is three bytes behind a zero, which stand somewhere by chance; so only the four words of each payload are
compared, for a pump writes its numbers there. Of the ids of one account that hits one recording of 30 days in a thousand by chance.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sanitizer.audit.findings import Finding
from sanitizer.places.contents import content
from sanitizer.policy.policy import policy
from sanitizer.search.forms import SHORTEST_DIGITS
from sanitizer.search.record_letters import Letters
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
    """Seen names and numbers that are in the cassette's pump records; `numbers` as `scan.search` has them."""
    held = {index: exchange for index, exchange in enumerate(cassette.exchanges, 1) if _holds_records(exchange)}
    if not held:
        return ()
    every = tuple(seen)
    wanted = {int(one.value): f"{one.kind}, 32-bit number" for one in every if _is_wanted(one.value)}
    letters = Letters(every)
    found = (
        Finding(exchange=numbers[index - 1] if numbers else index, place="response body[]", kind=kind)
        for index, exchange in held.items()
        for kind in _met(exchange, wanted, letters)
    )
    return tuple(dict.fromkeys(found))


def _is_wanted(value: str) -> bool:
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(_BEYOND))) or not is_worth_finding(value):
        return False
    # Numbers of parts stand in records of anybody, and a serial number may be one.
    return _LEAST <= int(value) < _BEYOND and not any(low <= int(value) <= high for low, high in policy().bounds["swPartNum"])


def _holds_records(exchange: Exchange) -> bool:
    found = locate(exchange.request.method, exchange.request.url)
    return found is not None and policy().special.get(found.endpoint.name) == "records"


def _met(exchange: Exchange, wanted: Mapping[int, str], letters: Letters) -> Iterator[str]:
    value = content(exchange.response.headers, exchange.response.body, "response body").value
    if not isinstance(value, str) or not value:
        return
    import numpy as np

    from tandem.events import PAYLOAD_START
    from tandem.records import Records

    payloads = np.ascontiguousarray(Records.from_base64(value).rows[:, PAYLOAD_START:])
    numbers = np.array(sorted(wanted), np.int64)
    for words in _WORDS:
        yield from (wanted[one] for one in numbers[np.isin(numbers, payloads.view(words))].tolist())
    apart = np.pad(payloads, ((0, 0), (0, 1)), constant_values=_BETWEEN)
    yield from (f"{kind}, letters in a record" for kind in letters.found(apart.tobytes()))


_BETWEEN: Final = 0xFF
"""A byte between two payloads, which no letters have: so none run from one into the next."""
