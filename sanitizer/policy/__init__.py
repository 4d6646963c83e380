"""The policy: read, checked against its schema, extended by users, suggested for places without a rule."""
