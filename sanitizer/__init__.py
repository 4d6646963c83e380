"""Capture -> Cassette, and the proof: rules from `tandem-source.toml`, an independent scan, and a check that needs no secrets."""
