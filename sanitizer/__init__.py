"""Capture -> Cassette, and the proof: rules from `policy.toml`, an independent scan, and a check that needs no secrets."""
