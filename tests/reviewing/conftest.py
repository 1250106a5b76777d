"""A browser for the tests of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.reviewing.browsing import CHROMIUM, LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reviewing.browsing import Opening


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def is_fault(message: Any) -> bool:
    """Whether the console tells of a fault in the page: not of an answer made up, or a server that ended."""
    return message.type == "error" and not any(one in message.text for one in ("status of 422", "CONNECTION_REFUSED"))


@pytest.fixture(name="opened")
def _opened(browser: Any) -> Iterator[Opening]:
    """Opens a link, in a profile of its own or of another page, and waits until it can be used.

    Errors in the page fail the test.
    """
    contexts: list[Any] = []
    errors: list[str] = []

    def opened(link: str, *, beside: Any = None, **about: Any) -> Any:
        if beside is None:
            contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **about}))
        page = (beside.context if beside is not None else contexts[-1]).new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if is_fault(message) else None)
        page.goto(link)
        page.wait_for_selector(LINES)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors
