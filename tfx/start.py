"""The first lines of the `tfx` command: what has to be heard before anything heavy is imported."""

import sys
from typing import NoReturn

from tfx.interrupted import end_at_once

SERVING = ["pipeline", "serve"]
INTERRUPTED = 130
"""The exit code after Ctrl-C, as `tfx.cli` gives it; before it is loaded there is nothing to say of what was written."""


def main() -> NoReturn:
    """Run the command; `tfx.cli.main` says more. `tfx pipeline serve` ends with exit code 0 on a signal from here on."""
    if sys.argv[1:3] == SERVING:
        end_at_once("stopped")
    try:
        from tfx.cli import main as command  # a tenth of a second, and far more for a stage
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    command()
