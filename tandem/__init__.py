"""What Tandem Source says on the wire: regions, endpoints, eras, pump records and events, clocks, and a client that asks it."""
