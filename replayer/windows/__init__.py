"""Answer any window of pump events inside the recorded span."""
