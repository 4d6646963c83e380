"""Which files are read and written: cassettes, recordings of other tools, their names, their outcomes."""
