"""`python -m tfx` is the same as `tfx`."""

from tfx.start import main

main()
