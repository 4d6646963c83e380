"""The examples of README and docs, read out of the pages as they stand, so that tests run what users copy."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def block(page: str, marker: str) -> str:
    """The fenced block that follows `<!-- marker -->` on a page."""
    text = (ROOT / page).read_text("utf-8")
    found = re.search(rf"<!-- {re.escape(marker)} -->\n+```\w*\n(.*?)```", text, re.DOTALL)
    assert found, f"{page} has no block after <!-- {marker} -->"
    return found.group(1)


def first_column(page: str, heading: str) -> list[list[str]]:
    """What stands in code marks in the first column of the table under this heading, a list per row."""
    text = (ROOT / page).read_text("utf-8")
    _, begun, rest = text.partition(f"| {heading} |")
    assert begun, f"{page} has no table {heading}"
    rows = re.match(r".*\n\|[-|]+\|\n((?:\|.*\n)+)", rest)
    assert rows
    return [re.findall(r"`([^`]+)`", row.split(" | ")[0]) for row in rows.group(1).splitlines()]
