"""tconnectsync 2.3.4, unmodified: signs in, reads the pumps, their settings and every event of some days; run by its own Python.

python old_client.py FIRST_DAY LAST_DAY
"""

import json
import logging
import os
import sys
import warnings


def main(first_day: str, last_day: str) -> None:
    """Print what it made of the answers."""
    os.environ["CACHE_CREDENTIALS"] = "false"
    from tconnectsync.api.tandemsource import TandemSourceApi
    from tconnectsync.domain.tandemsource.pump_settings import PumpSettings

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # a member that the recording lacks is null, and dataclasses_json says so
    api = TandemSourceApi("anyone@example.invalid", "any password", "US")
    pumps = api.pump_event_metadata()
    newest = max(pumps, key=lambda pump: pump["maxDateWithEvents"])
    settings = PumpSettings.from_dict(newest["lastUpload"]["settings"])
    device = newest["tconnectDeviceId"]
    every = list(api.pump_events(device, first_day, last_day, fetch_all_event_types=True))
    chosen = list(api.pump_events(device, first_day, last_day))
    numbers = sorted(event.seqNum for event in every)
    print(  # noqa: T201  # its output is its purpose
        json.dumps(
            {
                "claims": len(api.jwtData),
                "pumps": len(pumps),
                "events": len(every),
                "chosen": len(chosen),
                "numbers": numbers,
                "segments": [len(profile.tDependentSegs) for profile in settings.profiles.profile],
                "high alert": settings.cgmSettings.highGlucoseAlert.mgPerDl,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
