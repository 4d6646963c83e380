"""The program the demo and the acceptance tests replay: the real, unmodified tconnectsync logs in and reads everything.

    python reading_program.py REGION FIRST_DAY LAST_DAY

It prints one JSON object: what tconnectsync made of the answers. It knows nothing of tfx, of cassettes or of the stand-in.
"""

import json
import logging
import os
import sys
from collections import Counter


def main(region: str, first_day: str, last_day: str) -> None:
    """Log in with made-up credentials, read the account, the pumps and every event of the days."""
    # tconnectsync pickles tokens to the home directory unless told not to, and reads its settings at import.
    os.environ["CACHE_CREDENTIALS"] = "false"
    from tconnectsync.api.tandemsource import TandemSourceApi

    logging.disable(logging.CRITICAL)  # it logs every claim of the token
    api = TandemSourceApi("anyone@example.invalid", "any password at all", region.upper())
    pumper = api.get_pumper()
    newest = max((pump for pump in pumper["pumps"] if pump["maxDateOfEvents"]), key=lambda pump: pump["maxDateOfEvents"])
    every = list(api.pump_events(newest["assignmentId"], first_day, last_day, fetch_all_event_types=True))
    chosen = list(api.pump_events(newest["assignmentId"], first_day, last_day))
    report = {
        "client": "tconnectsync",
        "verified_claims": sorted(api.jwtData),
        "pumps": len(pumper["pumps"]),
        "events": len(every),
        "events_by_default": len(chosen),
        "types": dict(sorted(Counter(type(event).__name__ for event in every).items())),
    }
    print(json.dumps(report))  # noqa: T201  # its output is its purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
