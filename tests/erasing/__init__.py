"""Rows and sources erased, and the proof that nothing of them is left."""
