"""Every error tfx raises on purpose, split by fault: something was found, your input, their service.

TfxError
├── FoundError          exit 1  a check did its work and found something
│   ├── LeakError               a secret would have been, or was, written
│   ├── RefusedError            the sanitizer does not understand a place and will not guess
│   ├── MismatchError           a request is not on the cassette, or exhausted it
│   ├── UnusedError             exchanges nobody asked for
│   ├── HangError               a client would wait for ever for a late answer
│   └── NetworkBlockedError     replay tried to reach the network
├── InputError          exit 2  what was handed in cannot be used
│   ├── UsageError              the command or call is wrong
│   │   └── InUseError              another program has the file
│   ├── CassetteError           this file is not a whole, untouched cassette of a known version
│   └── FormatError             bytes that should be pump records, events or times are not
└── ServiceError        exit 3  the service or the network failed
    ├── LoginError              credentials or region refused
    ├── BlockedError            the firewall in front of the service turned us away
    ├── AnswerError             the service answered something of no known shape
    └── NetworkError            no answer

Every message is one short paragraph: what, where, what to do next. None carries a credential or personal value.
None is a `requests.RequestException`, so no client can swallow one by accident.
"""

from typing import ClassVar


class TfxError(Exception):
    """Something went wrong in a way tfx has words for."""

    exit_code: ClassVar[int] = 2


class FoundError(TfxError):
    """A check did its work and found something."""

    exit_code = 1


class LeakError(FoundError):
    """A secret would have been written; nothing was."""


class RefusedError(FoundError):
    """The sanitizer does not understand a place, and does not guess."""


class MismatchError(FoundError):
    """A request has no answer on the cassette, or none left."""


class UnusedError(FoundError):
    """Exchanges on the cassette that nobody asked for."""


class HangError(FoundError):
    """A client without a timeout would wait for ever."""


class NetworkBlockedError(FoundError):
    """Something tried to reach the network during replay."""


class InputError(TfxError):
    """What was handed in cannot be used."""


class UsageError(InputError):
    """The command or the call is wrong."""


class InUseError(UsageError):
    """Another program has the file; later it may not."""


class CassetteError(InputError):
    """The file is not a whole, untouched cassette of a known version."""


class FormatError(InputError):
    """Bytes or values that should be pump records, events or times are not."""


class ServiceError(TfxError):
    """The service or the network failed."""

    exit_code = 3


class LoginError(ServiceError):
    """The service refused the credentials, or the account lives in another region."""


class BlockedError(ServiceError):
    """The firewall in front of the service turned the request away."""


class AnswerError(ServiceError):
    """The service answered something of no known shape. `body` is what came, for who can keep it; no text or repr of the error has it."""

    def __init__(self, message: str, body: bytes) -> None:
        super().__init__(message)
        self.body = body

    def __reduce__(self) -> tuple[type["AnswerError"], tuple[str, bytes]]:
        """How another process gets it."""
        return type(self), (str(self), self.body)


class NetworkError(ServiceError):
    """No answer came back."""
