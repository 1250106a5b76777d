"""Assay: annotated examples in, a data set to be trusted out, and what every step of it was worth."""

__version__ = "0.4.0"
