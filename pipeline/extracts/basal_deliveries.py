"""basal_deliveries: the basal rate that the pump was commanded to deliver. Pure."""

from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.extracts.columns import Extract, impossible, labels, nullable
from tandem.records import Records

_NO_RATE: Final = 0xFFFF  # stored where no such rate applies: public records of 279
_SOURCES: Final = {0: "suspended", 1: "profile", 2: "temporary rate", 3: "algorithm", 4: "temporary rate and algorithm"}


def basal_deliveries(code: int, records: Records) -> Extract:
    """279, in milliunits/h as stored."""
    found = records.columns(code)
    rates = {
        f"{kind}_milliunits_per_hour": nullable(found[name].astype(np.int32), found[name] == _NO_RATE)
        for kind, name in (("profile", "profileBasalRate"), ("algorithm", "algorithmRate"), ("temporary", "tempRate"))
    }
    commanded = found["commandedRate"].astype(np.int32)
    return Extract(
        columns={
            "source": labels(found["commandedRateSource"], _SOURCES),
            "commanded_milliunits_per_hour": pa.array(commanded),
            **rates,
        },
        seconds=records.seconds,
        trouble=impossible(code, found),
    )
