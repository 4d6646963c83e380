"""The kernel of tfx: exchanges, captures, cassettes, their codec and store, errors, and the lazy `tfx` command. Knows no service."""

__version__ = "0.1.0"
