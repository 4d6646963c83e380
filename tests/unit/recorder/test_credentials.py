"""Where credentials come from, in which order, and which files are not fit to hold them."""

import pickle
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from recorder.credentials import Credentials, find, is_within_git, read
from tfx.errors import UsageError

GOOD = '[tandem]\nemail = "a@b.org"\npassword = "p€\\"1"\n'


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks this computer's keyring, nor this terminal."""
    monkeypatch.setattr("keyring.get_credential", lambda _service, _name: None)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def make(text: str = GOOD, mode: int = 0o600) -> Path:
        path = tmp_path / "credentials.toml"
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    return make


def test_a_file_is_read_before_the_environment(file: Callable[..., Path]) -> None:
    found = find(file(), environ={"TFX_EMAIL": "c@d.org", "TFX_PASSWORD": "other"})
    assert (found.email, found.password) == ("a@b.org", 'p€"1')


def test_the_environment_is_read_before_anybody_is_asked() -> None:
    found = find(environ={"TFX_EMAIL": "c@d.org", "TFX_PASSWORD": "x"}, ask=lambda *_: pytest.fail("asked"))
    assert (found.email, found.password) == ("c@d.org", "x")


@pytest.mark.parametrize(
    ("environ", "kept", "asked", "expected", "why"),
    [
        ({}, ("k@b.org", "kept"), [], ("k@b.org", "kept"), "the keyring knows both"),
        ({"TFX_EMAIL": "k@b.org"}, ("k@b.org", "kept"), [], ("k@b.org", "kept"), "the keyring knows the password"),
        ({"TFX_EMAIL": "c@d.org"}, ("k@b.org", "kept"), [True], ("c@d.org", "typed"), "of somebody else it does not"),
        ({"TFX_PASSWORD": "x"}, None, [False], ("typed", "x"), "only the address is missing"),
        ({}, None, [False, True], ("typed", "typed"), "the password is typed hidden"),
    ],
)
def test_what_is_missing_is_looked_up_then_asked_for(  # one row each
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    kept: tuple[str, str] | None,
    asked: list[bool],
    expected: tuple[str, str],
    why: str,
) -> None:
    answer = SimpleNamespace(username=kept[0], password=kept[1]) if kept else None
    monkeypatch.setattr("keyring.get_credential", lambda service, _name: answer if service == "tfx" else None)
    hidden: list[bool] = []

    def ask(_label: str, is_hidden: bool) -> str:
        hidden.append(is_hidden)
        return "typed"

    found = find(environ=environ, ask=ask)
    assert ((found.email, found.password), hidden) == (expected, asked), why


def test_a_machine_without_keyring_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_service: str, _name: str) -> None:
        from keyring.errors import NoKeyringError

        raise NoKeyringError

    monkeypatch.setattr("keyring.get_credential", broken)
    with pytest.raises(UsageError, match="there are no credentials for Tandem Source; set TFX_EMAIL and TFX_PASSWORD, name a file"):
        find(environ={})
    with pytest.raises(UsageError, match="there is no password for Tandem Source; set TFX_EMAIL and TFX_PASSWORD"):
        find(environ={"TFX_EMAIL": "someone@example.invalid"})
    with pytest.raises(UsageError, match="there is no e-mail address for Tandem Source; set"):
        find(environ={"TFX_PASSWORD": "secret"})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_refused(file: Callable[..., Path], mode: int) -> None:
    path = file(mode=mode)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert str(caught.value) == f"others on this computer may read {path}, which holds a password; close it with: chmod 600 {path}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("email = 1", "no section"),
        ('[tandem]\nemail = "a"', "no password"),
        ('[tandem]\nemail = "a"\npassword = 1', "not a text"),
        ('[tandem]\nemail = "a"\npassword = ""', "empty"),
        ("[tandem]\npassword = p€1", "not TOML; the parser would quote it"),
        ("tandem = 1", "not a section"),
    ],
)
def test_a_file_with_something_else_is_refused_unquoted(file: Callable[..., Path], text: str, why: str) -> None:
    with pytest.raises(UsageError, match=r"does not hold credentials; it needs a section \[tandem\]") as caught:
        read(file(text))
    assert "p€1" not in str(caught.value), why


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the credentials in .*none \(No such file or directory\); check the path"):
        read(tmp_path / "none")


def test_a_file_git_would_commit_is_refused_whether_or_not_git_is_installed(tmp_path: Path, file: Callable[..., Path]) -> None:
    (tmp_path / ".git").mkdir()
    path = file()
    assert is_within_git(path)
    with pytest.raises(UsageError, match=r"git would commit .*, which holds a password; move it out of the repository, or add it to"):
        read(path)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_file_git_ignores_is_read(tmp_path: Path, file: Callable[..., Path]) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    path = file()
    with pytest.raises(UsageError, match="git would commit"):
        read(path)
    (tmp_path / ".gitignore").write_text("credentials.toml\n")
    assert read(path).email == "a@b.org"


def test_credentials_neither_print_nor_pickle() -> None:
    credentials = Credentials(email="a@b.org", password="secret")
    assert repr(credentials) == str(credentials) == "Credentials()"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(credentials)


@pytest.mark.parametrize(
    ("password", "why"),
    [("p\udce9", "a byte that is not UTF-8, as the environment hands it over"), ("p\n", "a line end that was pasted along")],
)
def test_a_password_no_request_can_carry_is_told(password: str, why: str) -> None:
    with pytest.raises(UsageError, match="holds a line end or bytes that are not UTF-8") as caught:
        find(environ={"TFX_EMAIL": "someone@example.org", "TFX_PASSWORD": password})
    assert password not in str(caught.value), why
