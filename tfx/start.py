"""The first lines of the `tfx` command: what has to be heard before anything heavy is imported."""

import sys
from typing import NoReturn

from tfx.interrupted import end_at_once

SERVING = ["pipeline", "serve"]


def main() -> NoReturn:
    """Run the command; `tfx.cli.main` says more. `tfx pipeline serve` ends with exit code 0 on a signal from here on."""
    if sys.argv[1:3] == SERVING:
        end_at_once("stopped")
    from tfx.cli import main as command  # a tenth of a second, and far more for a stage

    command()
