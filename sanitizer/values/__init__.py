"""Therapy amounts made anew: what a record structure gives without the amounts that stood in it. See docs/decisions/synthetic-values.md."""
