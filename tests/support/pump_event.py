"""One ordinary pump event as the json eras send it, and the addresses it is asked at: what tests of the sanitizer plant things in."""

SOURCE = "https://source.tandemdiabetes.com"
ACCOUNTS = "https://tdcservices.tandemdiabetes.com/accounts/api"
ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
PUMPER = f"{SOURCE}/api/reports/bff/pumper/{ID}"
LOGS = f"{SOURCE}/api/reports/bff/pump-logs/{ID}"
LOGIN = f"{ACCOUNTS}/login"
TOKEN = f"{ACCOUNTS}/connect/token"
JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html")


def event(**changes: object) -> dict[str, object]:
    """The event, with these members changed or added."""
    return {
        "deviceAssignmentId": ID,
        "eventCode": 28,
        "sequenceGroup": 0,
        "sequenceNumber": 5,
        "pumpDateTime": "2026-11-18T10:00:00",
        "eventProperties": {"alarmId": 3},
        "estimatedDateTime": "2026-11-18T10:00:00Z",
    } | changes
