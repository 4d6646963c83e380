"""The API of Tandem Source: regions, endpoints, eras, pump records and events, clocks, and a client."""
