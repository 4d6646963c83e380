"""Run commands with planted secrets ("canaries") and search all output, logs, files and child processes for them."""

import ast
import base64
import io
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from urllib.parse import quote

import pytest

from tfx import cli, errors

ROOT = Path(__file__).parents[2]
STAGES = ("tfx", "tandem", "recorder", "sanitizer", "replayer", "pipeline", "simulator")
CANARIES = (
    "Marisol",
    "Quintanilla",
    "marisol.q@example.org",
    "correct-horse-Zq7",
    "10871624",
    "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904",
    "tok-5f2e9c81ab",
)
NAME, FAMILY, EMAIL, PASSWORD, SERIAL, UUID, TOKEN = CANARIES


def forms(value: str) -> set[bytes]:
    """The spellings a value hides in most often."""
    raw = value.encode()
    return {
        raw,
        raw.lower(),
        raw.upper(),
        quote(value, safe="").encode(),
        base64.b64encode(raw).rstrip(b"="),
        raw.hex().encode(),
        raw[::-1],
    }


_CALLED = frozenset({"join", "sorted", "set"})


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place that makes an error of tfx. `is_fixed`: by its source alone it says the same whatever was in hand."""

    file: str
    first: int
    last: int
    scope: str
    is_fixed: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.first} ({self.scope})"


def sites() -> tuple[Site, ...]:
    """Every place in the sources that makes an error of tfx: every call of `TfxError` or of a class below it, wherever that is."""
    paths = sorted(path for stage in STAGES for path in (ROOT / stage).rglob("*.py"))
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for text in texts.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
    }
    kinds = {"TfxError"}
    while new := {name for name, above in bases.items() if above & kinds} - kinds:
        kinds |= new
    return tuple(site for file, text in texts.items() for site in sites_of(file, text, frozenset(kinds)))


def sites_of(file: str, text: str, kinds: frozenset[str]) -> list[Site]:
    """Every place in one source."""
    found: list[Site] = []
    _visit(ast.parse(text), _Around(file=file), kinds, found)
    return found


@dataclass(frozen=True, kw_only=True)
class _Around:
    """What a node stands in."""

    file: str
    scope: tuple[str, ...] = ()
    handler: ast.ExceptHandler | None = None
    raiser: ast.Raise | None = None

    @property
    def tells_no_cause(self) -> bool:
        """Whether what is raised here carries no other error, whose text would be printed with a traceback."""
        if self.raiser is None:
            return False
        return self.handler is None if self.raiser.cause is None else isinstance(self.raiser.cause, ast.Constant)


def _visit(node: ast.AST, around: _Around, kinds: frozenset[str], found: list[Site]) -> None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        around = replace(around, scope=(*around.scope, node.name), handler=None, raiser=None)
    elif isinstance(node, ast.ExceptHandler):
        around = replace(around, handler=node)
    elif isinstance(node, ast.Raise):
        around = replace(around, raiser=node)
    if isinstance(node, ast.Call) and (
        (isinstance(node.func, ast.Name) and node.func.id in kinds)
        or (around.raiser is not None and isinstance(node.func, ast.Call) and ast.unparse(node.func.func) == "type")
    ):
        is_fixed = around.tells_no_cause and not node.keywords and all(map(_fixed, node.args))
        scope = ".".join(around.scope)
        found.append(Site(file=around.file, first=node.lineno, last=node.end_lineno or node.lineno, scope=scope, is_fixed=is_fixed))
    for inner in ast.iter_child_nodes(node):
        _visit(inner, around, kinds, found)


def _fixed(expression: ast.expr) -> bool:
    """Whether an expression is made of literals and CONSTANTS alone."""
    return all(_says_the_same(node) for node in ast.walk(expression))


_PLAIN = (ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.operator, ast.Call, ast.expr_context)


def _says_the_same(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id.strip("_").isupper() or node.id in _CALLED
    return node.attr in _CALLED if isinstance(node, ast.Attribute) else isinstance(node, _PLAIN)


class Sites:
    """Which places that make an error of tfx were reached, and by which rows."""

    def __init__(self) -> None:
        self.reached: dict[tuple[str, int], set[str]] = {}
        self.row = ""

    def note(self, frame: FrameType) -> None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in STAGES:
            self.reached.setdefault((str(file.relative_to(ROOT)), frame.f_lineno), set()).add(self.row)

    def rows(self) -> dict[Site, set[str]]:
        """Place -> the rows that reached it; empty for those none did."""
        by_file: dict[str, dict[int, set[str]]] = {}
        for (file, line), rows in self.reached.items():
            by_file.setdefault(file, {})[line] = rows
        return {
            site: {row for line, rows in by_file.get(site.file, {}).items() if site.first <= line <= site.last for row in rows}
            for site in sites()
        }

    def table(self) -> str:
        """For reading: each place that makes an error, and the first row that reached it; `=` where it says the same to everybody."""
        rows = self.rows()
        lines = [f"{site}: {min(found, default='=' if site.is_fixed else '-')}" for site, found in rows.items()]
        return "\n".join([f"{sum(map(bool, rows.values()))} of {len(rows)} reached", *lines])


class Bench:
    """A folder to work in, an environment, and ears everywhere."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, sites: Sites) -> None:
        self.folder, self.patch, self.sites = folder, patch, sites
        self.planted: dict[Path, bytes] = {}
        self.started: list[str] = []
        self.taken: list[bytes] = []
        for name in ("home", "tmp", "work"):
            (folder / name).mkdir()
        patch.chdir(folder / "work")
        for name in (
            "TFX_EMAIL",
            "TFX_PASSWORD",
            "TFX_PUMP",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "NO_PROXY",
            "REQUESTS_CA_BUNDLE",
            "TFX_DEBUG",
        ):
            patch.delenv(name, raising=False)
        for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(folder / "home"))
        patch.setattr("tempfile.tempdir", str(folder / "tmp"))
        patch.setenv("TMPDIR", str(folder / "tmp"))
        self._listen()

    def _listen(self) -> None:
        kept, started, taken = self, self.started, self.taken
        make = subprocess.Popen.__init__

        def begin(process: object, arguments: object, *others: object, **more: object) -> None:
            started.append(repr(arguments))
            make(process, arguments, *others, **more)  # type: ignore[call-overload]  # handed on as it came

        self.patch.setattr(subprocess.Popen, "__init__", begin)
        for name in ("unlink", "remove", "rename", "replace"):
            self._listen_to(name, taken)

        def born(error: errors.TfxError, *arguments: object) -> None:
            Exception.__init__(error, *arguments)
            frame = sys._getframe(1)
            while frame.f_code.co_name == "__init__" and frame.f_code.co_filename == errors.__file__ and frame.f_back:
                frame = frame.f_back  # an error with members of its own: whoever made it is the place
            kept.sites.note(frame)

        self.patch.setattr(errors.TfxError, "__init__", born)

    def _listen_to(self, name: str, taken: list[bytes]) -> None:
        real = getattr(os, name)

        def away(path: object, *others: object, **more: object) -> None:
            if isinstance(path, str | Path) and Path(path).is_file() and Path(path) not in self.planted:
                taken.append(Path(path).read_bytes())
            real(path, *others, **more)

        self.patch.setattr(os, name, away)

    def plant(self, name: str, content: bytes | str | object) -> str:
        """A file in the work folder; what is neither bytes nor text is written as JSON."""
        data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
        path = self.folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o600)
        self.planted[path] = data
        return name

    def environ(self, **values: str) -> None:
        """Variables for the command."""
        for name, value in values.items():
            self.patch.setenv(name, value)

    def run(self, arguments: Iterable[str]) -> tuple[int, str, str]:
        """The command, in this process: exit code, stdout and stderr with the log at its most talkative."""
        out, err = io.StringIO(), io.StringIO()
        handler = logging.StreamHandler(err)
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = cli.run(list(arguments))
        finally:
            root.removeHandler(handler)
            root.setLevel(before)
        return code, out.getvalue(), err.getvalue()

    def call(self, do: Callable[[], object]) -> tuple[str, str]:
        """A call that is to end in an error: what that says with all its causes, as a traceback prints it, and its repr; `` for none."""
        try:
            made = do()
        except errors.TfxError as error:
            return "".join(traceback.format_exception(error)), repr(error)
        except Exception as error:  # noqa: BLE001  # a row that went astray: its error is reported in the list of rows
            return "", f"{type(error).__name__} at {traceback.extract_tb(error.__traceback__)[-1]}"
        return "", repr(made)

    def heard(self, canaries: Iterable[str], *said: str) -> list[str]:
        """Where a canary is: in what was said, in what was started, in a file that is there now or was there for a while."""
        left = {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and self._is_new(path)
        }
        places: Mapping[str, bytes] = {
            "stdout": said[0].encode(),
            "stderr or log": "".join(said[1:]).encode(),
            "process list": "\n".join(self.started).encode(),
            **{f"temporary file {number}": data for number, data in enumerate(self.taken)},
            **left,
            "names of files": "\n".join(left).encode(),
        }
        return [
            f"{canary} in {place}" for canary in canaries for place, data in places.items() if any(form in data for form in forms(canary))
        ]

    def _is_new(self, path: Path) -> bool:
        return self.planted.get(path) != path.read_bytes()
