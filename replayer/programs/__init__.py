"""Programs that `tfx replay` runs: Python with the bootstrap, other languages through a proxy on loopback."""
