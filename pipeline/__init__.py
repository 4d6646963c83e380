"""Load pump events from a cassette or from Tandem Source into DuckDB: decode, store, derive, check, export; Prefect flows are optional."""
