"""`python -m tfx` is the same as `tfx`."""

from tfx.cli import main

main()
