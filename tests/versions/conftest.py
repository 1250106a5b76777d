"""Versions are kept many times here, and none of them has to outlive a power cut."""

from __future__ import annotations

import pytest

from pipeline import store


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_sync_entry", lambda path: None)
