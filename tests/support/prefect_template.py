"""A migrated, empty Prefect database, kept and copied, because migrating is half of a server's start.

python tests/support/prefect_template.py        make it now (`make proofs` does, before pytest's clock runs)
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

START = {"PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false"}
"""The environment of a server that starts on a copy."""


def copy(to: Path) -> None:
    """A copy of the database; it is made first where there is none of this version."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(_made().read_bytes())


def _made() -> Path:
    kept = Path(sys.prefix) / f"prefect-{version('prefect')}.db"
    if not kept.exists():
        # In the same folder, so that it is there whole or not at all, whoever else makes it at the same time.
        with TemporaryDirectory(dir=kept.parent) as home:
            part = Path(home) / "prefect.db"
            around = {**os.environ, "PREFECT_HOME": home, "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{part}"}
            command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
            subprocess.run(command, env={**around, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}, capture_output=True, check=True)
            part.replace(kept)
    return kept


if __name__ == "__main__":
    _made()
