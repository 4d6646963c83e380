"""Stages are found by name, which no type checker reads: each name must be there."""

import re
from pathlib import Path

from tfx.cli import VERBS


def test_every_stage_that_is_asked_for_by_name_exists(root: Path) -> None:
    sources = [
        path
        for folder in ("tfx", "tandem", "recorder", "sanitizer", "replayer", "pipeline", "simulator")
        for path in (root / folder).rglob("*.py")
    ]
    asked = {name for path in sources for name in re.findall(r'\bstage\("([\w.]+:\w+)"\)', path.read_text("utf-8"))}
    asked |= {target for target, _ in VERBS.values()}
    assert len(asked) > 20, "the pattern still finds them"
    gone = []
    for name in sorted(asked):
        module, _, attribute = name.partition(":")
        file = root.joinpath(*module.split(".")).with_suffix(".py")
        if not re.search(rf"^(async )?(def|class) {attribute}\b|^{attribute}\b.* = ", file.read_text("utf-8"), re.MULTILINE):
            gone.append(name)
    assert gone == []
