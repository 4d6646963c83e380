"""Base32 by columns of bytes is the standard library's."""

import base64

from hypothesis import example, given
from hypothesis import strategies as st

from sanitizer.search.base32 import in_base32


@given(st.binary(min_size=5, max_size=60))
@example(bytes(range(255)))
def test_it_is_what_the_library_gives_in_small_letters(raw: bytes) -> None:
    whole = raw[: len(raw) // 5 * 5]
    assert in_base32(whole) == base64.b32encode(whole).lower()
