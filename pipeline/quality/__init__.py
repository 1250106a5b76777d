"""Instruments of the audit and the split: narrow columns in, numbers and verdicts out, never a whole row."""
