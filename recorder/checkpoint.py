"""Encrypted file of an unfinished recording: the only module that writes a capture to disk.

One file outside every repository: a header with a random salt, then encrypted records: first the order, then one exchange each. The key is
derived from the account's password, so no key is stored: to resume, the password is entered again. A record is appended with one write
after each exchange; a kill tears at most the last one, which is cut off at resume.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
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
from recorder.serialized import deserialize, serialize
from tfx.errors import UsageError
from tfx.exchange import Exchange

MAGIC: Final = b"tfx unfinished recording 1\n"
SALT_SIZE: Final = 16
NONCE_SIZE: Final = 12
LENGTH_SIZE: Final = 4
SCRYPT_COST: Final = 2**15
"""About a tenth of a second and 32 MB: nothing for one person, much for somebody who guesses passwords at a stolen file."""


class KeptError(UsageError):
    """The unfinished recording cannot be written any more; what is in it stays."""


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


def found(name: str, cassettes: Path) -> Path:
    """The unfinished recording of that name: the one for this cassette folder, else the only one there is, wherever it was to go.

    Raises:
        UsageError: there is none, or there are several for other folders.
    """
    path = path_of(name, cassettes)
    if path.exists():
        return path
    others = list(path.parent.glob(f"{name}-{'[0-9a-f]' * 8}.unfinished"))
    if len(others) > 1:
        raise UsageError(
            f"{len(others)} recordings called {name} are unfinished, for other folders than {cassettes}; say with --cassettes which one"
        )
    if not others:
        raise UsageError("there is no unfinished recording of this cassette to resume; record without --resume")
    return others[0]


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
            handle = _made_anew(path)
            os.write(handle, MAGIC + salt)
        except OSError as error:
            raise _unwritable(path, error) from None
        checkpoint = cls(path, handle, _key(credentials, salt), 0)
        checkpoint._seal(_head(errand, started))
        return checkpoint

    @classmethod
    def resume(
        cls, path: Path, credentials: Credentials, wanted: Callable[[Errand], Errand], now: datetime
    ) -> tuple[Self, Errand, tuple[Exchange, ...]]:
        """The one that is there, its errand, and the exchanges in it; a torn last record is cut off.

        `wanted(errand)` is what is asked for now, given what was asked for then: what is left out is as it was.

        Raises:
            UsageError: there is none, it is still being recorded, the password is another one, it is damaged, or it was another errand.
        """
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError:
            raise UsageError("there is no unfinished recording of this cassette to resume; record without --resume") from None
        try:
            _claim(handle)
            key, ends, errand, exchanges = cls._read(path, credentials, wanted, now)
            os.ftruncate(handle, ends[-1])
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle, key, len(ends)), errand, exchanges

    @staticmethod
    def _read(
        path: Path, credentials: Credentials, wanted: Callable[[Errand], Errand], now: datetime
    ) -> tuple[AESGCM, tuple[int, ...], Errand, tuple[Exchange, ...]]:
        """The key, where each whole record ends, the errand, and the exchanges."""
        data = path.read_bytes()
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
        errand = _agree(opened[0], wanted, now)
        return key, tuple(end for end, _ in records), errand, tuple(deserialize(cast("bytes", text)) for text in opened[1:])

    def append(self, exchange: Exchange) -> None:
        """Keep one more exchange; it is on disk when this returns.

        Raises:
            KeptError: it cannot be written; what was kept before stays.
        """
        self._seal(serialize(exchange))

    def close(self) -> None:
        """Let go of the file; it stays."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    def discard(self) -> None:
        """The recording is finished: the file goes."""
        # It goes while it is still locked, or somebody's next one might be there already; Windows wants it closed first.
        with suppress(PermissionError):
            self.path.unlink(missing_ok=True)
            self.close()
            return
        self.close()
        self.path.unlink(missing_ok=True)

    def _seal(self, text: bytes) -> None:
        nonce = os.urandom(NONCE_SIZE)
        # The place in the file is sealed in, so that no record can be left out, doubled or moved.
        sealed = nonce + self._key.encrypt(nonce, text, _place(self._count))
        record = len(sealed).to_bytes(LENGTH_SIZE, "big") + sealed
        try:
            while record:
                record = record[os.write(self._handle, record) :]
            os.fsync(self._handle)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        self._count += 1


def _made_anew(path: Path) -> int:
    """A new file in place of the old one, unless somebody is recording there; locked until it is closed, or its process dies."""
    with suppress(FileNotFoundError):
        old = os.open(path, os.O_RDWR)
        try:
            _claim(old)
            path.unlink()
        finally:
            os.close(old)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    except FileExistsError:
        raise _taken() from None
    _claim(handle)
    return handle


def _claim(handle: int) -> None:
    """Lock the file. The system lets go of the lock of a process that has died. Where it knows no locks, nothing is locked."""
    with suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken() from None


def _taken() -> UsageError:
    return UsageError("this cassette is being recorded by another process at this moment; wait for it, or record under another name")


def _unwritable(path: Path, error: OSError) -> KeptError:
    return KeptError(
        f"cannot write the unfinished recording {path} ({error.strerror}); make room in {path.parent}, or set XDG_STATE_HOME to a folder "
        "of yours that has some"
    )


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


def _agree(head: bytes, wanted: Callable[[Errand], Errand], now: datetime) -> Errand:
    known = json.loads(head)
    started = datetime.fromisoformat(known["started"])
    said = known["errand"]
    errand = wanted(Errand(**{**said, "since": date.fromisoformat(said["since"]), "until": date.fromisoformat(said["until"])}))
    asked = json.loads(_head(errand, started))["errand"]
    others = [name for name, value in said.items() if asked[name] != value]
    if others:
        shown = ", ".join(name if name == "pump" else f"{name} {said[name]}, not {asked[name]}" for name in others)
        raise UsageError(
            f"the unfinished recording is of something else ({shown}); leave that out to continue it, or record without --resume"
        )
    if now < started:
        raise UsageError("the unfinished recording began in the future: set the clock right, or leave --resume out")
    return errand
