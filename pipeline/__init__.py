"""From what Tandem Source answered to tables in DuckDB: decode, load, join, and the flows that run it."""
