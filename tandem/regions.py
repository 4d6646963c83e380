"""The clouds of Tandem Source as data. Source of every value: tconnectsync 3.0.3, `api/tandemsource.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

SSO_URL = "https://sso.tandemdiabetes.com/"
"""The sign-in page; both regions share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One cloud: `tdc_url` signs in, `source_url` serves data. The client id is public (there is no client secret)."""

    name: str
    tdc_url: str
    source_url: str
    redirect_uri: str
    client_id: str
    retired_client_ids: tuple[str, ...] = ()

    @property
    def issuer(self) -> str:
        """The `iss` of its id_tokens."""
        return f"{self.tdc_url}/accounts/api"

    @property
    def hosts(self) -> Mapping[str, str]:
        """Host kind (`sso`, `tdc`, `source`) to host name."""
        return {
            "sso": urlsplit(SSO_URL).netloc,
            "tdc": urlsplit(self.tdc_url).netloc,
            "source": urlsplit(self.source_url).netloc,
        }


US = Region(
    name="us",
    tdc_url="https://tdcservices.tandemdiabetes.com",
    source_url="https://source.tandemdiabetes.com/",
    redirect_uri="https://sso.tandemdiabetes.com/auth/callback",
    client_id="0oa4wnbvtladeyVZX4h7",  # since 2026-07-01
    retired_client_ids=("0oa27ho9tpZE9Arjy4h7",),
)
EU = Region(
    name="eu",
    tdc_url="https://tdcservices.eu.tandemdiabetes.com",
    source_url="https://source.eu.tandemdiabetes.com/",
    redirect_uri="https://source.eu.tandemdiabetes.com/authorize/callback",
    client_id="1519e414-eeec-492e-8c5e-97bea4815a10",
)
REGIONS: Mapping[str, Region] = MappingProxyType({"us": US, "eu": EU})

HOSTS: Mapping[str, str] = MappingProxyType({host: kind for region in REGIONS.values() for kind, host in region.hosts.items()})
"""Every host name of the service to its kind; anything else is not Tandem Source."""


def client_id_of(region: Region, era: str) -> str:
    """The client id a client of that era presents; the US one changed on 2026-07-01."""
    if era == "2025" and region.retired_client_ids:
        return region.retired_client_ids[0]
    return region.client_id
