"""The options of the pytest plugin, on the command line and in the ini file."""

import pytest


def add(parser: pytest.Parser) -> None:
    """Declare them."""
    group = parser.getgroup("tfx", "recorded Tandem Source")
    group.addoption("--cassettes", metavar="DIR", default=None, help="folder the cassette marker looks in (default: cassettes/)")
    group.addoption("--cassette-report", metavar="FILE", default=None, help="write what the run used of which cassette (for tfx prune)")
    group.addoption("--tfx-allow-unused", action="store_true", help="do not fail the run for exchanges no test asked for; list them")
    group.addoption(
        "--tfx-record",
        action="store_true",
        help="do not replay: let marked tests ask the live service, sanitize, and write their cassettes (refused in CI)",
    )
    parser.addini("tfx_freeze", "set the clock to the cassette's in every test that plays one", type="bool", default=False)
    parser.addini("tfx_virtual_clock", "let waiting cost no time in every test that plays a cassette", type="bool", default=False)
    parser.addini("tfx_cassettes", "folder the cassette marker looks in", default="cassettes")
    parser.addini("tfx_block_network", "block the network from the first moment, marked tests or not", type="bool", default=False)
    parser.addini(
        "tfx_block_programs",
        "let no test start a program, marked or not, but those of tfx_allow_programs (default: as tfx_block_network)",
        type="bool",
        default=None,
    )
    parser.addini("tfx_allow_unused", "do not fail a full run for exchanges no test asked for", type="bool", default=False)
    parser.addini("tfx_allow_programs", "programs a test may start while its cassette plays (base names)", type="args", default=[])
    parser.addini("tfx_allow_sockets", "paths of Unix sockets tests may connect to", type="args", default=[])
    parser.addini("tfx_allow_loopback", "let loopback through in every test", type="bool", default=False)
