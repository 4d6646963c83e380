"""What README and docs name is there: files, links, make's targets, verbs and options of the command."""

import re
from pathlib import Path

import click
import pytest
from pages import ROOT

from tfx.cli import cli

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = "alembic|benchmarks|docs|pipeline|recorder|replayer|sanitizer|simulator|tandem|tests|tfx"
ANOTHER_TOOL = {"--forked"}
"""Options of other programs that stand in a line with `tfx`."""


def missing(page: Path) -> list[str]:
    text = page.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    named = {name for name in re.findall(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]*\w", text) if "NAME" not in name and "." in name}
    anchors = {slug(heading) for heading in re.findall(r"^#+ (.*)", text, flags=re.MULTILINE)}
    return [
        *(name for name in named if not (ROOT / name).exists()),
        *(f"make {word}" for word in re.findall(r"`make ([a-z-]+)", text) if word not in targets),
        *(link for link in re.findall(r"\]\(#([^)]+)\)", text) if link not in anchors),
        *(f"{link}{part}" for link, part in re.findall(r"\]\((?!http)([^)#]+)(#[^)]*)?\)", text) if not leads(page, link, part)),
    ]


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def leads(page: Path, link: str, part: str) -> bool:
    file = page.parent / link
    headings = re.findall(r"^#+ (.*)", file.read_text("utf-8"), flags=re.MULTILINE) if file.suffix == ".md" and file.exists() else []
    return file.exists() and (not part or part[1:] in {slug(heading) for heading in headings})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    assert missing(page) == []


def test_commands_are_written_as_they_are_typed() -> None:
    wrong = [
        f"{page.name}: {line}" for page in PAGES for line in commands(page.read_text("utf-8")) if not is_typed(line.partition(" # ")[0])
    ]
    assert wrong == []


def commands(text: str) -> list[str]:
    """The lines that begin with `tfx` in fenced blocks, and such words in code marks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    typed = [line for block in blocks for line in re.findall(r"^\$? ?(tfx [a-z].*)", block, re.MULTILINE)]
    return typed + re.findall(r"`(tfx [a-z][^`]*)`", rest)


def is_typed(line: str) -> bool:
    """Whether there is such a verb with such options; what follows two dashes is somebody's program."""
    words = line.partition(" -- ")[0].split()[1:]
    command: click.Command | None = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.get_command(click.Context(command), words.pop(0).rstrip(",.;:"))
    if command is None:
        return False
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)} | {"--help"} | ANOTHER_TOOL
    return {word.partition("=")[0].rstrip(",.;:)") for word in words if word.startswith("--")} <= known
