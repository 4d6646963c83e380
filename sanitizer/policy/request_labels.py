"""Labels of requests without a rule: words of known paths are shown, everything else is a star. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit

from tandem.endpoints import ENDPOINTS
from tandem.regions import HOSTS

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WORDS: Final = frozenset(word for endpoint in ENDPOINTS for word in endpoint.path.split("/") if "{" not in word) | {
    *(
        "assets",
        "static",
        "images",
        "img",
        "fonts",
        "css",
        "js",
        "scripts",
        "dist",
        "locales",
        "i18n",
        "config",
        "login",
        "logout",
        "account",
    ),
    *("connect", "userinfo", "endsession", "checksession", "favicon.ico", "robots.txt", "manifest.json", "index.html", "v1", "v2"),
}
_FILE: Final = re.compile(r".*(\.(?:js|mjs|css|map|json|html|svg|png|jpe?g|gif|webp|ico|woff2?|ttf|txt))\Z", re.IGNORECASE)
_MOST: Final = 8


def asked_for(method: str, url: str) -> str:
    """Method, host and the shape of the path: `GET source.tandemdiabetes.com/static/*.js`; nothing of the query."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all; its text quotes the host
        return "an address that is not a URL"
    host = parts.netloc.lower().removesuffix(":443")
    words = parts.path.split("/")
    shown = "/".join(map(_word, words[: _MOST + 1])) + ("/*" if len(words) > _MOST + 1 else "")
    return f"{method.upper() if method.upper() in _METHODS else '*'} {host if host in HOSTS else 'another host'}{shown or '/'}"


def _word(word: str) -> str:
    if not word or word in _WORDS:
        return word
    found = _FILE.match(word)
    return f"*{found[1].lower()}" if found else "*"
