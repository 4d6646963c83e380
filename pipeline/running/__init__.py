"""A whole run: its steps, Prefect flows, serving, many accounts."""
