"""A cassette's name holds no part, initials or last digits of a recorded value; plain names are left alone."""

from hypothesis import given
from hypothesis import strategies as st

from sanitizer.files.cassette_names import PLAIN, named_in
from tfx.capture import Seen

NAMES = [
    ("jane.doe-1957", "name", "Jane Doe", "both parts"),
    ("jose-garcia", "name", "José García", "accents"),
    ("myjaneweek", "name", "Jane", "inside a word"),
    ("bo-week", "name", "Bo Li", "two letters, as a word"),
    ("week-jd", "full name", "Jane Doe", "initials"),
    ("pump-10.871.624", "serial", "10871624", "points between the digits"),
    ("pump-1624", "serial number", "10871624", "the last digits"),
    ("born-1957-03-04", "birth date", "1957-03-04", "a date of birth"),
    ("born-1957", "date of birth", "1957-03-04", "its year"),
    ("m-quintanilla", "e-mail", "m.quintanilla@example.org", "a local part"),
    ("7d9f0c42-week", "id", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "the front of an id"),
    ("rosebud-1941", "password", "Rosebud!", "a password"),
    ("joergensen", "family name", "Jørgensen", "two letters for one"),
    ("jorgensen-week", "family name", "Jørgensen", "the letter that looks like it"),
    ("chlo", "given name", "Chloë", "a letter left out"),
    ("j-rgensen", "family name", "Jørgensen", "a dash for a letter"),
    ("nesnegroj", "name", "Chloë Jørgensen", "backwards"),
    ("week-nesnegroj-chlo", "name", "Chloë Jørgensen", "both ways"),
    ("mueller", "family name", "Müller", "two letters for one"),
    ("strasse", "given name", "Straße", "a sharp s"),
    ("tanaka-week", "e-mail", "Танака@example.org", "in Latin letters"),
    ("mårten", "given name", "Marten", "a folder may have accents"),
    ("lindq", "family name", "Lindqvist", "five letters from its start"),
    ("my-lindqv-week", "full name", "Eva Lindqvist", "six, between other words"),
    ("week-vqdnil", "full name", "Eva Lindqvist", "five, backwards"),
    ("week-03-14", "birth date", "1987-03-14", "a birthday"),
    ("week-3-14", "birth date", "1987-03-14T00:00:00", "a birthday without zeros"),
    ("x1403", "date of birth", "03/14/1987", "a birthday, the day first"),
    ("carbs-week", "given name", "Carbs", "a word of the policy, and somebody's name"),
]
SEEN = [
    *(("name", "Jane Doe"), ("name", "Al"), ("e-mail", "user@example.org"), ("id", "us"), ("token", "week"), ("given name", "Test")),
    *(("family name", "Sessions"), ("birth date", "1987-07-07"), ("birth date", "1987-12-24"), ("given name", "Pumpernickel")),
    *(("full name", "Ulla Svensson"), ("birth date", "1957-07-24"), ("serial", "10872024"), ("password", "session")),
]


def test_a_name_that_tells_of_somebody_is_a_leak() -> None:
    for name, kind, value, why in NAMES:
        assert named_in(name, [Seen(kind=kind, value=value)]) == kind, why


def test_a_name_that_tells_of_nobody_is_none() -> None:
    for name in (
        "session-us",
        "session-eu",
        "session-2025",
        "unhappy-us",
        "week",
        "2024-07",
        "2024-12",
        "us",
        "test",
        "lind-week",
        "pump-7",
    ):
        assert named_in(name, [Seen(kind=kind, value=value) for kind, value in SEEN]) == "", name


@given(
    st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=5, max_size=12).filter(lambda name: name not in PLAIN),
    st.sampled_from(["", "week-", "my", "x_"]),
)
def test_whatever_somebody_is_called_it_is_found(name: str, front: str) -> None:
    for spelled in (name, name.upper(), name.capitalize(), name[::-1]):
        assert named_in(f"{front}{spelled}-us", [Seen(kind="given name", value=name)]) == "given name"
