"""Get e-mail address and password from a file, the environment, the OS keyring or a hidden prompt; never from arguments."""

import os
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import click

from tfx.errors import UsageError

SERVICE: Final = "tfx"
"""Under which name the keyring keeps them: `keyring set tfx someone@example.org`."""
HOW: Final = "set TFX_EMAIL and TFX_PASSWORD, name a file with --credentials, or run this in a terminal to be asked"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """What signs a person in. Never prints, never pickles."""

    email: str
    password: str

    def __repr__(self) -> str:
        return "Credentials()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are never pickled: they would leave memory in plain text")


def find(
    file: Path | None = None, *, environ: Mapping[str, str] = os.environ, ask: Callable[[str, bool], str] | None = None
) -> Credentials:
    """The credentials: of `file` if one is named, else of the environment, the keyring, the person at the terminal, whoever knows first.

    `ask(label, hidden)` asks the person; by default only where stdin is a terminal.

    Raises:
        UsageError: nobody knows them, or the file is not fit to hold them.
    """
    if file is not None:
        return read(file)
    email, password = environ.get("TFX_EMAIL", ""), environ.get("TFX_PASSWORD", "")
    if not (email and password):
        email, password = _from_keyring(email, password)
    if ask is None and sys.stdin.isatty():
        ask = _ask
    if ask is not None:
        email = email or ask("E-mail address of your Tandem Source account", False)
        password = password or ask("Password (not shown, not stored)", True)
    if not (email and password):
        lacking = "is no password" if email else "is no e-mail address" if password else "are no credentials"
        raise UsageError(f"there {lacking} for Tandem Source; {HOW}")
    if not all(value.isprintable() for value in (email, password)):
        # Bytes that are not UTF-8 come in as lone surrogates, which no request can carry; a pasted line end is never meant.
        raise UsageError("the e-mail address or the password holds a line end or bytes that are not UTF-8; set it again, in UTF-8")
    return Credentials(email=email, password=password)


def read(file: Path) -> Credentials:
    """The credentials in a TOML file: `email` and `password` under `[tandem]`.

    Raises:
        UsageError: it cannot be read, others may read it, git would commit it, or it holds something else. Its content is not quoted.
    """
    try:
        mode = file.stat().st_mode
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"cannot read the credentials in {file} ({reason}); check the path") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"others on this computer may read {file}, which holds a password; close it with: chmod 600 {file}")
    if is_within_git(file) and not _is_ignored(file):
        raise UsageError(f"git would commit {file}, which holds a password; move it out of the repository, or add it to .gitignore")
    try:
        section = tomllib.loads(text).get("tandem")
    except tomllib.TOMLDecodeError:
        section = None  # its message may quote the line
    values = [section.get(key) for key in ("email", "password")] if isinstance(section, dict) else []
    if len(values) != 2 or not all(isinstance(value, str) and value for value in values):  # noqa: PLR2004  # the two keys above
        raise UsageError(f'{file} does not hold credentials; it needs a section [tandem] with email = "..." and password = "..."')
    return Credentials(email=str(values[0]), password=str(values[1]))


def is_within_git(path: Path) -> bool:
    """Whether the path lies in a git work tree, whether or not git is installed."""
    return any((folder / ".git").exists() for folder in path.resolve().parents)


def _is_ignored(file: Path) -> bool:
    place = file.resolve()
    try:
        # Without --no-index, a file that is tracked already does not count as ignored.
        done = subprocess.run(["git", "check-ignore", "-q", "--", place.name], cwd=place.parent, capture_output=True, check=False)  # noqa: S603, S607  # the person's own git, fixed arguments
    except OSError:
        return False
    return done.returncode == 0


def _from_keyring(email: str, password: str) -> tuple[str, str]:
    """What the keyring knows of the missing parts; it is optional, and a machine without one is no error."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return email, password
    try:
        found = keyring.get_credential(SERVICE, email or None)
    except (KeyringError, RuntimeError):
        return email, password
    if found is None or (email and found.username != email):
        return email, password
    return email or found.username, password or found.password


def _ask(label: str, hidden: bool) -> str:
    answer: str = click.prompt(label, hide_input=hidden, err=True)
    return answer
