"""The hook as another repository uses it: the real pre-commit installs tfx from this folder, with its libraries from the package index.

What is committed is what it installs.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWNED_BY_ANYONE = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
"""Git reads no repository of another user unless it is told to, and a checkout may be one."""

pytestmark = [
    pytest.mark.proofs,
    pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="what is committed here is not known"),
]
CLEAN = (ROOT / "cassettes" / "session-us.json").read_bytes()

ROWS = [
    ("cassettes/session-us.json", CLEAN, 0, "as it was recorded"),
    ("tests/cassettes/session-us.json", CLEAN, 0, "wherever the folder is"),
    ("cassettes/session-us.json", CLEAN.replace(b"Given1", b"Marisol", 1), 1, "edited by hand"),
    ("cassettes/session-us.json.orig", CLEAN, 1, "a leftover of a merge, which nothing reads"),
    ("cassettes/browser.har", b'{"log": {}}', 1, "a recording that never was a cassette"),
    ("cassettes/X.HAR", b'{"log": {}}', 1, "in capitals"),
    ("cassettes/notes.txt", b"Marisol", 1, "of no form at all"),
    ("cassettes/week.json.gz", b"", 1, "packed"),
    ("cassettes/README.md", b"# Recorded from the stand-in", 0, "no recording"),
    ("package.json", b"{}", 0, "somebody else's JSON"),
]


def test_the_hook_refuses_what_is_not_a_clean_cassette(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    plain = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment = plain | OWNED_BY_ANYONE | {"PRE_COMMIT_HOME": str(tmp_path / "home")}

    def run(*arguments: str, folder: Path = scratch) -> subprocess.CompletedProcess[str]:
        return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)

    run("git", "init", "-q")
    rev = run("git", "rev-parse", "HEAD", folder=ROOT).stdout.strip()
    hook = f"repos:\n- repo: {ROOT}\n  rev: {rev}\n  hooks:\n  - id: tfx-sanitize-check\n"
    (scratch / ".pre-commit-config.yaml").write_text(hook)
    for name, data, code, why in ROWS:
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        run("git", "add", "-A")
        done = run(sys.executable, "-m", "pre_commit", "run", "--files", name)
        assert done.returncode == code, f"{name}, {why}: {done.stdout}{done.stderr}"
        assert "Marisol" not in done.stdout
        path.unlink()
