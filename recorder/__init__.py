"""Live service -> Capture: the walk through an account, every exchange kept as it went over the wire."""
