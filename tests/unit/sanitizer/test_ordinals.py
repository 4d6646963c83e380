"""Stand-ins: numbered by first appearance, in native shape, one for every spelling, and recognisable."""

import base64
import pickle
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.replacements.epoch import Odd
from sanitizer.replacements.ordinals import KINDS, Ordinals
from tfx.signing import s256

SHAPES = [
    ("uuid", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "00000000-0000-4000-8000-000000000001"),
    ("uuid", "7D9F0C425B1E4E639A572F8C1E6AB904", "00000000000040008000000000000001"),
    ("uuid", "{7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904}", "{00000000-0000-4000-8000-000000000001}"),
    ("serial", "10871624", "90000001"),
    ("serial", "1087162", "9000001"),
    ("device", "378904", "900001"),
    ("upload", "412345678", "900000001"),
    ("email", "marisol.quintanilla+tandem@example.org", "user1@example.invalid"),
    ("given", "Marisol", "Given1"),
    ("family", "Quintanilla", "Family1"),
    ("profile", "Marisol weekday", "Profile1"),
    ("hash", "A" * 40, "0" * 39 + "1"),
    ("verifier", "x" * 86, "tfx-verifier-000000000000000000000000000001"),
    ("challenge", s256("x" * 86), s256("tfx-verifier-000000000000000000000000000001")),
    ("access-token", "eyJ.e30.x", "tfx-access-token-000000000001"),
    ("code", "59B88C97-1", "tfx-code-000001"),
    ("cookie", "CfDJ8abc", "tfx-cookie-000001"),
]


@pytest.mark.parametrize(("kind", "value", "stand_in"), SHAPES)
def test_the_first_stand_in_of_each_kind(kind: str, value: str, stand_in: str) -> None:
    assert Ordinals().stand_in(KINDS[kind], value) == stand_in
    assert KINDS[kind].image(stand_in)
    assert not KINDS[kind].image(value)


SAME = [
    ("uuid", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "7D9F0C42-5B1E-4E63-9A57-2F8C1E6AB904", "case"),
    ("uuid", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "7d9f0c425b1e4e639a572f8c1e6ab904", "dashes"),
    ("serial", "10871624", "010871624", "a leading zero"),
    ("email", "a+b@example.org", "a%2Bb%40example.org", "percent"),
    ("email", "a+b@example.org", "a%252Bb%2540example.org", "percent twice"),
    ("email", "a+b@example.org", "a b@example.org", "a plus that a form made a space"),
    ("cookie", "a%252Fb", "a/b", "percent twice"),
    ("email", "Marisol@example.org", "marisol@EXAMPLE.org", "case"),
    ("given", "José", "JOSE\u0301", "case and composition"),
    ("family", "de la  Cruz", "De la Cruz", "spaces"),
    ("cookie", "a%2Fb", "a/b", "percent-encoding"),
    ("hash", "AB" * 20, "ab" * 20, "case"),
]
DIFFERENT = [
    ("uuid", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab905", "a digit"),
    ("serial", "10871624", "1087162", "shorter"),
    ("code", "ABC-1", "abc-1", "a code is compared as it is"),
    ("given", "Marisol", "Mariso", "another name"),
]


@pytest.mark.parametrize(("kind", "one", "other", "_why"), SAME)
def test_spellings_of_one_value_share_a_number(kind: str, one: str, other: str, _why: str) -> None:
    ordinals = Ordinals()
    first = ordinals.stand_in(KINDS[kind], one)
    second = ordinals.stand_in(KINDS[kind], other)
    assert first.replace("-", "").lstrip("9").lstrip("0") == second.replace("-", "").lstrip("9").lstrip("0")


@pytest.mark.parametrize(("kind", "one", "other", "_why"), DIFFERENT)
def test_different_values_do_not(kind: str, one: str, other: str, _why: str) -> None:
    ordinals = Ordinals()
    assert ordinals.stand_in(KINDS[kind], one)[-1] == "1"
    assert ordinals.stand_in(KINDS[kind], other)[-1] == "2"


GUIDS = st.uuids()
SPELLED: dict[str, Callable[[UUID], str]] = {
    "plain": str,
    "capitals": lambda one: str(one).upper(),
    "no dashes": lambda one: one.hex,
    "braces": lambda one: f"{{{one}}}",
    "braces in an address": lambda one: f"%7B{one}%7D",
    "braces in an address in an address": lambda one: f"%257B{one}%257D",
    "its bytes, .NET": lambda one: base64.b64encode(one.bytes_le).decode(),
    "its bytes, .NET, in an address": lambda one: base64.urlsafe_b64encode(one.bytes_le).decode().rstrip("="),
}


@given(st.lists(st.tuples(GUIDS, st.sampled_from(sorted(SPELLED))), min_size=1, max_size=8))
def test_equal_in_is_equal_out_in_any_spelling_and_the_spelling_stays(drawn: list[tuple[UUID, str]]) -> None:
    ordinals = Ordinals()
    order = list(dict.fromkeys(one for one, _ in drawn))
    for one, spelling in drawn:
        stand_in = ordinals.stand_in(KINDS["uuid"], SPELLED[spelling](one))
        standard = UUID(f"00000000-0000-4000-8000-{order.index(one) + 1:012d}")
        assert stand_in == (SPELLED[spelling](standard).lower() if spelling == "capitals" else SPELLED[spelling](standard))
        assert KINDS["uuid"].image(stand_in)
        assert Ordinals().stand_in(KINDS["uuid"], stand_in) == SPELLED[spelling](UUID(int=(0x4000 << 64) | (0x8000 << 48) | 1))


def test_a_guid_shares_its_stand_in_with_its_bytes_in_either_order() -> None:
    """Whose order it is does not show, so the stand-in is in .NET's."""
    one = UUID("7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904")
    texts = [str(one), *(base64.b64encode(raw).decode() for raw in (one.bytes, one.bytes_le))]
    for order in (texts, texts[::-1]):
        ordinals = Ordinals()
        ordinals.stand_in(KINDS["uuid"], "11111111-5b1e-4e63-9a57-2f8c1e6ab904")
        stand_ins = {ordinals.stand_in(KINDS["uuid"], text) for text in order}
        second = UUID("00000000-0000-4000-8000-000000000002")
        assert stand_ins == {str(second), base64.b64encode(second.bytes_le).decode()}


def test_a_challenge_and_its_verifier_share_a_number() -> None:
    ordinals = Ordinals()
    challenges = [ordinals.stand_in(KINDS["challenge"], s256(verifier)) for verifier in ("a", "b")]
    verifiers = [ordinals.stand_in(KINDS["verifier"], verifier) for verifier in ("b", "a")]
    assert [s256(verifier) for verifier in verifiers] == challenges[::-1]


@pytest.mark.parametrize(
    ("kind", "value", "_why"),
    [
        ("uuid", "pumper-1", "no UUID"),
        ("uuid", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab90", "a digit short"),
        ("serial", "SN-1", "letters"),
        ("serial", "1" * 19, "longer than any number"),
        ("serial", "١٢٣", "digits of another script"),
    ],
)
def test_a_value_of_another_kind_is_odd(kind: str, value: str, _why: str) -> None:
    with pytest.raises(Odd):
        Ordinals().stand_in(KINDS[kind], value)


REAL = [
    ("serial", "10871624", "a real one"),
    ("serial", "90871624", "a real one that starts like ours"),
    ("serial", "90100000", "more than 999 pumps"),
    ("serial", "9", "too short"),
    ("email", "user1@example.org", "a real domain"),
    ("given", "Given", "no number"),
    ("given", "Given01", "numbers do not start with 0"),
    ("uuid", "00000000-0000-4000-8000-00000000000a", "a letter"),
    ("uuid", "00000000-0000-0000-0000-000000000000", "another nil"),
    ("hash", "0" * 29 + "1" * 11, "more than ten digits"),
    ("challenge", s256("a verifier"), "of a real verifier"),
    ("code", "tfx-code-1", "too few digits"),
    ("code", "tfx-code-000001 Marisol", "something behind it"),
    ("code", "tfx-code-000001\n", "a line break behind it"),
]


@pytest.mark.parametrize(("kind", "value", "_why"), REAL)
def test_what_is_no_stand_in(kind: str, value: str, _why: str) -> None:
    assert not KINDS[kind].image(value)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_stand_in_written_is_recognised(kind: str) -> None:
    assert all(KINDS[kind].image(KINDS[kind].write(number, "1" * 8)) for number in (1, 2, 9, 10, 99, 100, 999))


@given(st.lists(st.integers(10_000_000, 99_999_999), max_size=30))
def test_numbers_are_given_in_the_order_of_first_sight(serials: list[int]) -> None:
    ordinals = Ordinals()
    written = [ordinals.stand_in(KINDS["serial"], str(serial)) for serial in serials]
    order = list(dict.fromkeys(serials))
    assert written == [f"9{order.index(serial) + 1:07}" for serial in serials]


def test_an_empty_text_stands_for_itself() -> None:
    assert Ordinals().stand_in(KINDS["email"], "") == ""


def test_the_originals_never_leave() -> None:
    ordinals = Ordinals()
    ordinals.stand_in(KINDS["given"], "Marisol")
    assert repr(ordinals) == "Ordinals(1 given)"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(ordinals)


def test_what_stands_for_itself_is_no_original() -> None:
    ordinals = Ordinals()
    ordinals.stand_in(KINDS["given"], "Given1")
    assert not ordinals.originals
    ordinals.stand_in(KINDS["given"], "Marisol")
    assert list(ordinals.originals) == [("given", "Marisol")]


PADDED = [
    ("uuid", "00000000-0000-4000-8000-000090556643", "a serial in the last group"),
    ("uuid", "00000000-0000-4000-8000-000000000000", "nobody's number"),
    ("given", "Given90556643", "a serial behind a name"),
    ("email", "user19570304@example.invalid", "a date of birth behind a word"),
    ("hash", "0" * 32 + "90556643", "a serial behind zeros"),
    ("verifier", "tfx-verifier-" + "90556643".zfill(30), "a serial behind zeros"),
    ("code", "tfx-code-90556643", "more digits than its width"),
    ("cookie-name", "tfx-cookie-name-90556643", "more digits than any ordinal"),
    ("serial", "900", "shorter than any, so that its length says something"),
    ("serial", "9" + "1".zfill(15), "longer than any"),
]


@pytest.mark.parametrize(("kind", "value", "_why"), PADDED)
def test_a_stand_in_has_no_room_for_a_number_of_somebodys(kind: str, value: str, _why: str) -> None:
    assert not KINDS[kind].image(value)


def test_writing_and_checking_agree_on_the_last_ordinal() -> None:
    for kind in KINDS.values():
        assert kind.most <= 99_999, "five digits spell nobody's number"
        last, one_more = kind.write(kind.most, "1" * 8), kind.write(kind.most + 1, "1" * 8)
        assert kind.image(last), kind.name
        assert not kind.image(one_more), kind.name


@pytest.mark.parametrize("kind", ["serial", "device", "upload"])
def test_what_comes_after_the_last_stand_in_is_odd(kind: str) -> None:
    ordinals = Ordinals()
    written = [ordinals.stand_in(KINDS[kind], str(10_000_000 + number)) for number in range(999)]
    assert all(map(KINDS[kind].image, written))
    assert ordinals.stand_in(KINDS[kind], "10000000") == written[0]
    with pytest.raises(Odd):
        ordinals.stand_in(KINDS[kind], "20000000")
