"""What all stages share: exchanges, captures, cassettes, codec, store, errors, and the `tfx` command. Knows no service."""

__version__ = "0.1.0"
