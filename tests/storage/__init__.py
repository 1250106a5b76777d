"""Versions pushed and pulled."""
