"""Invented therapy: days of glucose, insulin, alarms and sensors as pump records, by the column. Nothing here touches the world."""
