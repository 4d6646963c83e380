"""What the service says to a question it does not take: the bodies of its validation errors, as data. Pure. Shapes: tconnectsync #163."""

import json

from tfx.jsonbody import Json

Issue = dict[str, Json]


def too_long(days: int) -> Issue:
    """The issue with a window of pump events that is longer than this. tconnectsync 3 pages by 28 days; the wording is the stand-in's."""
    return {"code": "custom", "path": ["endDate"], "message": f"Window exceeds {days} days"}


def zod_error(issues: list[Json]) -> dict[str, Json]:
    """A validation error as the bff tells it, with status 400."""
    return {"issues": issues, "name": "ZodError"}


def written(value: object) -> bytes:
    """JSON as the service writes it: compact, UTF-8, nothing escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
