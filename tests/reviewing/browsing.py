"""Browsing: a real browser before the page, for its tests."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Opening = Callable[..., Any]

CHROMIUM = next(
    (path for name in ("chromium", "google-chrome", "chromium-browser") if (path := shutil.which(name))), None
)
missing = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
LINES = "body[data-usable]"


@contextmanager
def going_on(page: Any) -> Iterator[None]:
    """Waits until what is pressed inside has drawn the page anew."""
    before = page.get_attribute("body", "data-drawn")
    yield
    page.wait_for_selector(f"body:not([data-drawn='{before}'])")


def press(page: Any, *keys: str) -> None:
    """Press keys, each of which draws the page anew."""
    for key in keys:
        with going_on(page):
            page.keyboard.press(key)
