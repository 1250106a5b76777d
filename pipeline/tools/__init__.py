"""Annotation tools: one file for each, that writes what people are asked and reads back what they answered."""
