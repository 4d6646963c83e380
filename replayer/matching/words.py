"""Names of requests in messages: only words of the service's API, never a user's own. Pure."""

from typing import Final

from replayer.matching.keys import Question, text
from tandem.endpoints import ENDPOINTS
from tandem.regions import HOSTS

__tracebackhide__ = True  # pytest --showlocals would print the live request

NEXT: Final = "\n  what to do: "
"""What stands before the last line of a miss."""
WORDS: Final = frozenset(word for endpoint in ENDPOINTS for word in endpoint.path.split("/"))
"""What may stand in a path of the service."""


def label(question: Question) -> str:
    """Method and path template; the identifiers in a path and unknown words never appear."""
    host = host_word(question.origin)
    if question.place:
        return f"{question.method} {host}{question.place.endpoint.path}"
    words = "/".join(word if word in WORDS else "<text>" for word in map(text, question.path))
    return f"{method_word(question.method)} {host}{words}"


def host_word(origin: str) -> str:
    """A host of the service by name; any other may be somebody's own and is not named."""
    scheme, _, host = origin.partition("://")
    if host not in HOSTS:
        return "<a host that is not Tandem Source's>"
    return host if scheme == "https" else f"<{'http' if scheme == 'http' else 'other scheme'}>://{host}"


def method_word(method: str) -> str:
    """A method by name if it is one."""
    return method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "<another method>"
