"""Common first and family names, made-up mail hosts and words, from which invented people are generated.

Plain ASCII names have five letters or more, so that a search for one over a megabyte of base64 does not find it by chance.
"""

from typing import Final

GIVEN: Final = (
    "José", "Chloë", "Jonathan", "Mathilda", "François", "Beatrice", "Søren", "Wilhelmina", "Agnieszka", "Cornelius",
    "Ángela", "Theodore", "Brigitte", "Lorenzo", "Élodie", "Konstantin", "Rosalind", "Håkon", "Valentina", "Matthias",
)  # fmt: skip
FAMILY: Final = (
    "Müller", "Fernández", "Thompson", "Lindström", "Okonkwo", "Nowakowski", "O'Sullivan", "Jørgensen", "Castellanos", "Vandenberg",
    "Çelik", "Whitfield", "Đorđević", "Ramaswamy", "Schröder", "Delacroix", "Yamamoto", "Hernández-Ruiz", "Kowalczyk", "Abernathy",
)  # fmt: skip
MAIL_HOSTS: Final = ("post.example.org", "mail.example.com", "letters.example.net", "home.example.org", "box.example.com")
WORDS: Final = ("Käsekuchen", "Pamplemousse", "Smörgås", "Jalapeño", "Butterblume", "Zuckerrübe", "Crème-brûlée")
AWKWARD: Final = '&=%+"\\ €'
"""What every invented password holds: all that forms, URLs, JSON and shells treat specially, and a sign of three bytes."""

_TO_ASCII: Final = str.maketrans("éëçøåüáöđćÉÁĐÇ", "eecoauaodcEADC")


def plain(name: str) -> str:
    """The name in ASCII, as people type it on a pump or into a mail address."""
    return name.translate(_TO_ASCII)
