"""The verbs of `tfx pipeline`, by what they do to a database: fill it, keep it in order, read it, export it."""
