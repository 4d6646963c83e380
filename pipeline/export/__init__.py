"""Tables and views as files: Parquet, CSV, Nightscout JSON."""
