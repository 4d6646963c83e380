"""Convert a cassette of one era to another."""
