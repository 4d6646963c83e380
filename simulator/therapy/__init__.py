"""Invented therapy: days of glucose, insulin, alarms and sensors, generated as columns of pump records. Pure."""
