"""A headless Chromium, Debian's: Playwright's own browsers are not downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    sync_playwright,
)

_SCREENSHOTS = os.environ.get("TENFOLD_SCREENSHOTS")
_PHONE = ViewportSize(width=390, height=844)
_DESK = ViewportSize(width=1280, height=900)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser for the block."""
    program = shutil.which("chromium")
    assert program, "chromium is not on PATH: apt-get install chromium"
    with sync_playwright() as playwright:
        # Its sandbox needs capabilities that a container's root does not have; it sees our own
        # page alone.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def picture(page: Page, name: str, whole: Locator | None = None) -> None:
    """Make a picture for the documentation, where TENFOLD_SCREENSHOTS names a folder for it.

    It has what a visitor sees first, or `whole` of something that is longer than the window.
    """
    if not _SCREENSHOTS:
        return
    path = Path(_SCREENSHOTS) / f"{name}.png"
    if whole is None:
        page.screenshot(path=path)
    else:
        whole.screenshot(path=path)


class Visit:
    """A page of the console in a browser, and what went wrong in it."""

    def __init__(self, browser: Browser, url: str, **settings: Any) -> None:
        is_phone = settings.pop("phone", False)
        self._context = browser.new_context(
            viewport=_PHONE if is_phone else _DESK, reduced_motion="reduce", **settings
        )
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(15_000)
        self.troubles: list[str] = []
        self._url = url
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)

    def open(self, route: str) -> Page:
        """Go to a page and wait for its title."""
        self.page.goto(f"{self._url}/#/{route}")
        self.page.wait_for_selector("h1")
        return self.page

    def close(self) -> None:
        """Close the page."""
        self._context.close()
