"""Run the command as on another machine: its own process, an empty home, its own temporary directory."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A home, a folder for temporary files, and a folder to work in; all empty at first, all below `everything`."""

    everything: Path

    @property
    def work(self) -> Path:
        return self.everything / "work"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        plain = {key: value for key, value in os.environ.items() if not key.upper().endswith(("PROXY", "CA_BUNDLE")) and "TFX" not in key}
        places = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "XDG_STATE_HOME": "home/state",
            "XDG_CACHE_HOME": "home/cache",
            "XDG_CONFIG_HOME": "home/config",
            "XDG_DATA_HOME": "home/data",
        }
        for place in places.values():
            (self.everything / place).mkdir(parents=True, exist_ok=True)
        self.work.mkdir(exist_ok=True)
        return (
            plain
            | {key: str(self.everything / place) for key, place in places.items()}
            | {"PYTHONDONTWRITEBYTECODE": "1"}
            | dict(more or {})
        )

    def tfx(self, *arguments: str, environment: Mapping[str, str] | None = None, timeout: float = 120) -> Ran:
        """Run `tfx` with these arguments in the work folder."""
        self.environment()
        done = subprocess.run(
            [sys.executable, "-m", "tfx", *arguments],
            cwd=self.work,
            env=self.environment(environment),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    def files(self) -> list[Path]:
        """Every file anything wrote anywhere on this machine."""
        return sorted(path for path in self.everything.rglob("*") if path.is_file())
