"""An unfinished recording on disk, encrypted: the only module that writes a capture anywhere.

One file outside every repository: a header with a random salt, then sealed records, the errand first and an exchange each after. The key
is made from the account's password, so nothing needs to be kept that opens it: whoever resumes types the password again. A record is
appended with one write after each exchange; a kill leaves at worst the last one torn, which is cut off at resume.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Self, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from platformdirs import user_state_path

from recorder.credentials import Credentials, is_within_git
from recorder.letters import exchange_of, letter_of
from tfx.errors import UsageError
from tfx.exchange import Exchange

MAGIC: Final = b"tfx unfinished recording 1\n"
SALT_SIZE: Final = 16
NONCE_SIZE: Final = 12
LENGTH_SIZE: Final = 4
SCRYPT_COST: Final = 2**15
"""About a tenth of a second and 32 MB: nothing for one person, much for somebody who guesses passwords at a stolen file."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Errand:
    """What a recording is to fetch. `since` and `until` are whole days, both included; `pump` is a serial number or empty."""

    region: str
    era: str
    since: date
    until: date
    pump: str = ""

    def __repr__(self) -> str:
        return f"Errand({self.region}, {self.era}, {self.since} to {self.until})"


def path_of(name: str, cassettes: Path) -> Path:
    """Where the unfinished recording of that cassette is kept: in the user's state folder, apart for each cassette folder."""
    folder = sha256(str(cassettes.resolve()).encode()).hexdigest()[:8]
    return user_state_path("tfx", appauthor=False) / f"{name}-{folder}.unfinished"


class Checkpoint:
    """An open unfinished recording. Make one with `begin` or `resume`; `append` after each exchange; `discard` when all is done."""

    def __init__(self, path: Path, handle: int, key: AESGCM, count: int) -> None:
        self.path = path
        self._handle = handle
        self._key = key
        self._count = count

    def __repr__(self) -> str:
        return f"Checkpoint({self._count} records)"

    @classmethod
    def begin(cls, path: Path, credentials: Credentials, errand: Errand, started: datetime) -> Self:
        """A new one, in place of any that was there.

        Raises:
            UsageError: the path lies in a git work tree, or cannot be written.
        """
        if is_within_git(path):
            raise UsageError(
                f"an unfinished recording may not lie in a git work tree, and {path.parent} does; set XDG_STATE_HOME elsewhere"
            )
        salt = os.urandom(SALT_SIZE)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.unlink(missing_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as error:
            raise UsageError(
                f"cannot write the unfinished recording {path} ({error.strerror}); set XDG_STATE_HOME to a folder of yours"
            ) from None
        os.write(handle, MAGIC + salt)
        checkpoint = cls(path, handle, _key(credentials, salt), 0)
        checkpoint._seal(_head(errand, started))
        return checkpoint

    @classmethod
    def resume(
        cls, path: Path, credentials: Credentials, errand_of: Callable[[datetime], Errand], now: datetime
    ) -> tuple[Self, Errand, tuple[Exchange, ...]]:
        """The one that is there, its errand, and the exchanges in it; a torn last record is cut off.

        `errand_of(started)` is what is asked for now, as seen from the moment the recording began: "the last seven days" were other days.

        Raises:
            UsageError: there is none, the password is another one, it is damaged, or it was another errand.
        """
        try:
            data = path.read_bytes()
        except OSError:
            raise UsageError("there is no unfinished recording of this cassette to resume; record without --resume") from None
        if not data.startswith(MAGIC) or len(data) < len(MAGIC) + SALT_SIZE:
            raise UsageError(f"{path} is not an unfinished recording of this version of tfx; record without --resume")
        body = len(MAGIC) + SALT_SIZE
        key = _key(credentials, data[len(MAGIC) : body])
        records = list(_sealed(data, body))
        opened = [_open(key, index, sealed) for index, (_, sealed) in enumerate(records)]
        if not opened or opened[0] is None:
            raise UsageError(
                "the unfinished recording does not open: it was made with another password, or is damaged; record without --resume"
            )
        if opened[-1] is None:  # a write that a power cut tore inside
            opened.pop()
            records.pop()
        if None in opened:
            raise UsageError(f"the unfinished recording is damaged at record {opened.index(None)}; record without --resume")
        errand = _agree(opened[0], errand_of, now)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.ftruncate(handle, records[-1][0])
        return cls(path, handle, key, len(records)), errand, tuple(exchange_of(cast("bytes", text)) for text in opened[1:])

    def append(self, exchange: Exchange) -> None:
        """Keep one more exchange; it is on disk when this returns."""
        self._seal(letter_of(exchange))

    def close(self) -> None:
        """Let go of the file; it stays."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    def discard(self) -> None:
        """The recording is finished: the file goes."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _seal(self, text: bytes) -> None:
        nonce = os.urandom(NONCE_SIZE)
        # The place in the file is sealed in, so that no record can be left out, doubled or moved.
        sealed = nonce + self._key.encrypt(nonce, text, _place(self._count))
        record = len(sealed).to_bytes(LENGTH_SIZE, "big") + sealed
        while record:
            record = record[os.write(self._handle, record) :]
        os.fsync(self._handle)
        self._count += 1


def _key(credentials: Credentials, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=SCRYPT_COST, r=8, p=1).derive(credentials.password.encode()))


def _place(index: int) -> bytes:
    return index.to_bytes(8, "big")


def _sealed(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Where each whole record ends, and its sealed text."""
    while start + LENGTH_SIZE <= len(data):
        begin = start + LENGTH_SIZE
        start = begin + int.from_bytes(data[begin - LENGTH_SIZE : begin], "big")
        if start > len(data):
            return
        yield start, data[begin:start]


def _open(key: AESGCM, index: int, sealed: bytes) -> bytes | None:
    try:
        return key.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], _place(index))
    except (InvalidTag, ValueError):
        return None


def _head(errand: Errand, started: datetime) -> bytes:
    return json.dumps({"started": started.isoformat(), "errand": asdict(errand)}, default=str).encode()


def _agree(head: bytes, errand_of: Callable[[datetime], Errand], now: datetime) -> Errand:
    known = json.loads(head)
    started = datetime.fromisoformat(known["started"])
    errand = errand_of(started)
    asked = json.loads(_head(errand, started))["errand"]
    others = [name for name, value in known["errand"].items() if asked[name] != value]
    if others:
        shown = ", ".join(name if name == "pump" else f"{name} {known['errand'][name]}, not {asked[name]}" for name in others)
        raise UsageError(f"the unfinished recording is of something else ({shown}); ask for the same, or record without --resume")
    if now < started:
        raise UsageError("the unfinished recording began in the future: set the clock right, or leave --resume out")
    return errand
