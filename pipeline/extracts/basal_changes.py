"""basal_changes: changes of the basal rate, with their reasons. Pure."""

from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.extracts.columns import Extract, flags, impossible
from tandem.records import Records

_CHANGES: Final = {
    0: "timed segment", 1: "new profile", 2: "temporary rate started", 3: "temporary rate ended", 4: "suspended", 5: "resumed",
    6: "shut down", 7: "basal limit",
}  # fmt: skip
_RATES: Final = {"commanded": "commandedBasalRate", "base": "baseBasalRate", "most": "maxBasalRate"}


def basal_changes(code: int, records: Records) -> Extract:
    """3, in units/h. To a millionth: 32-bit floats carry no more."""
    found = records.columns(code)
    with np.errstate(invalid="ignore"):  # a payload may hold a signalling NaN; `trouble` has it
        rates = {column: found[name].astype(np.float64).round(6) for column, name in _RATES.items()}
    return Extract(
        columns={
            "change": flags(found["changeType"], _CHANGES),
            "profile": pa.array(found["idp"].astype(np.int32)),
            **{f"{column}_units_per_hour": pa.array(rate) for column, rate in rates.items()},
        },
        seconds=records.seconds,
        trouble=impossible(code, found),
    )
