"""Content types: what is legal to write in several ways, written in one. Pure."""

import re
from typing import Final

_WRITTEN: Final = re.compile(
    r"[ \t]*([a-z/+-]+)[ \t]*(?:;[ \t]*)*?(?:;[ \t]*charset=(\"?)(utf-8)\2[ \t]*(?:;[ \t]*)*)?", re.IGNORECASE | re.ASCII
)
"""A type and at most one charset, which may be quoted; semicolons with nothing behind them say nothing (RFC 9110, 5.6.6 and 8.3.1)."""
_USUAL: Final = re.compile(r"[a-z/+-]+(; ?charset=(utf-8|UTF-8))?")
"""As the policy's domain of content types has it; such a line keeps its spelling."""


def one_spelling(line: str) -> str:
    """A Content-Type line as a cassette has it; a line that says more, or of another charset, as it is."""
    if _USUAL.fullmatch(line):
        return line
    found = _WRITTEN.fullmatch(line)
    if not found:
        return line
    return found[1].lower() + ("; charset=utf-8" if found[3] else "")


def is_type_and_charset(line: str) -> bool:
    """Whether a line, in one spelling, says of a body its type and UTF-8 at most; so does an empty one."""
    return not line or _USUAL.fullmatch(line) is not None
