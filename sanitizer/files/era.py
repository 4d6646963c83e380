"""Detect the era of exchanges from their requests and responses. Pure."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from tandem.endpoints import locate
from tandem.eras import ERAS
from tfx.exchange import Exchange


def eras_of(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """The eras whose endpoints answered, distinguished by the key that names event codes; none where two are shown."""
    possible = frozenset(ERAS)
    for one in exchanges:
        place = locate(one.request.method, one.request.url)
        if place is None or one.status >= 400:  # noqa: PLR2004  # a refusal says what an era has not
            continue
        possible &= place.endpoint.eras
        if place.endpoint.name == "pump-logs":
            keys = {key for key, _ in parse_qsl(urlsplit(one.request.url).query, keep_blank_values=True)}
            possible &= {name for name, era in ERAS.items() if era.events_key in keys} or set(ERAS)
    return possible


def shows_another(era: str, exchanges: Iterable[Exchange]) -> bool:
    """Whether exchanges show that they are of another era than that; what shows two, or none, a person decides."""
    possible = eras_of(exchanges)
    return bool(possible) and era not in possible
