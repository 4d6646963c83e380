"""Write the output blocks of the README: the demo's from a run, the suite's last line from stdin. See `make readme`."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
_CLOSING = re.compile(r"^=+ \d+ passed.*=+$", re.MULTILINE)


def replaced(text: str, name: str, output: str) -> str:
    """The text with the block of that name holding this output."""
    block = re.compile(rf"(<!-- {name} -->\n```\n).*?(\n```\n<!-- /{name} -->)", re.DOTALL)
    assert block.search(text), f"README.md has no block {name}"
    return block.sub(lambda found: found[1] + output.strip("\n") + found[2], text)


def main() -> None:
    """Both blocks, or the demo's alone where no closing line of pytest comes in."""
    plain = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    demo = subprocess.run([sys.executable, "-m", "tfx", "demo"], env=plain, capture_output=True, text=True, check=True).stdout
    text = replaced(README.read_text("utf-8"), "demo", "\n".join(line.rstrip() for line in demo.splitlines()))
    told = "" if sys.stdin.isatty() else sys.stdin.read()
    closing = _CLOSING.search(told)
    README.write_text(replaced(text, "test", closing[0]) if closing else text, "utf-8")
    if told and not closing:
        sys.exit(f"{told}\nthe suite did not pass: only the demo's block is written")


if __name__ == "__main__":
    main()
