"""Synthetic amounts (`--values synthetic`), computed from the structure of a recording. See docs/decisions/synthetic-values.md."""
