"""Turn a capture into a cassette: rules from `tandem-source.toml`, an independent search, and a check that needs no secrets."""
