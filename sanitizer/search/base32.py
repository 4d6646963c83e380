"""Base32 of small letters. Pure.

Python's own is a loop over every five bytes, which took a seventh of the time in which a value's forms are made.
"""

from typing import Final

_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_SHARES: Final = (
    ((0, 3),),
    ((0, -2), (1, 6)),
    ((1, 1),),
    ((1, -4), (2, 4)),
    ((2, -1), (3, 7)),
    ((3, 2),),
    ((3, -3), (4, 5)),
    ((4, 0),),
)
"""Of which bytes of five each of the eight letters holds bits, and by how many these go to the right."""


def _table(by: int) -> bytes:
    return bytes((one >> by if by >= 0 else one << -by) & 31 for one in range(256))


_SHIFTED: Final = {by: _table(by) for shares in _SHARES for _, by in shares}
_WRITTEN: Final = bytes(_LETTERS[one & 31] for one in range(256))


def in_base32(raw: bytes) -> bytes:
    """The letters of some bytes, as many as five go into, all first letters at once, all second ones and so on."""
    out = bytearray(len(raw) // 5 * 8)
    for place, shares in enumerate(_SHARES):
        found = [raw[byte::5].translate(_SHIFTED[by]) for byte, by in shares]
        if len(found) > 1:  # they hold different bits
            both = int.from_bytes(found[0], "big") | int.from_bytes(found[1], "big")
            found = [both.to_bytes(len(found[0]), "big")]
        out[place::8] = found[0]
    return bytes(out).translate(_WRITTEN)
