from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from simulator.entropy import Entropy


def test_the_same_seed_says_the_same_things_again() -> None:
    first, second, other = Entropy("a"), Entropy("a"), Entropy("b")
    said = [(one.hex(32), one.text(64), one.uuid()) for one in (first, second, other)]
    assert said[0] == said[1] != said[2]


def test_nothing_is_said_twice_even_to_eight_threads() -> None:
    entropy = Entropy("a")
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: entropy.octets(16), range(2000)))
    assert len(set(drawn)) == 2000


def test_its_uuids_are_of_version_four() -> None:
    found = UUID(Entropy("a").uuid())
    assert (found.version, found.variant) == (4, "specified in RFC 4122")
