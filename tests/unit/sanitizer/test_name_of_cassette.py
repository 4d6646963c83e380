"""A cassette's name becomes a public file name: it is held against everything the recorder saw, before anything is written."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sanitizer.scrub import scrub
from tfx.capture import Capture, Seen
from tfx.errors import LeakError

Session = Callable[..., Capture]


@pytest.mark.parametrize(
    ("seen", "name", "why"),
    [("Jane Doe", "jane.doe-1957", "case and punctuation"), ("José García", "jose-garcia", "accents")],
)
def test_a_name_that_tells_of_somebody_is_refused(session: Session, seen: str, name: str, why: str) -> None:
    capture = session("2025")
    with pytest.raises(LeakError) as caught:
        scrub(replace(capture, seen=(*capture.seen, Seen(kind="name", value=seen))), name=name)
    assert "choose a name" in str(caught.value)
    assert not any(part in str(caught.value).lower() for part in ("jane", "jos")), why


def test_a_name_that_only_the_search_finds_is_to_be_chosen_anew(session: Session) -> None:
    capture = session("2025")
    seen = (*capture.seen, Seen(kind="name", value="Quetzalcoatl"))
    with pytest.raises(LeakError, match=r"cassette name: name, plain. Choose another name\Z"):
        scrub(replace(capture, seen=seen), name=b"Quetzalcoatl".hex())
