"""Benches: how right, how fast, how large; run by hand (`python -m tests.bench`), never by the tests."""
