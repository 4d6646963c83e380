"""Where values stand: the walk over exchanges, headers, bodies, URLs and pump events."""
