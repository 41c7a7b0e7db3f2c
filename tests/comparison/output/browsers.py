"""A browser for tests of pages: chromium, where it and playwright are installed."""

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
NEEDED = pytest.mark.skipif(
    not (CHROMIUM.exists() and importlib.util.find_spec("playwright")),
    reason=f"playwright is not installed, or there is no browser at {CHROMIUM}",
)


@contextlib.contextmanager
def launched() -> Iterator[Any]:
    """A browser, closed at the end."""
    from playwright import sync_api

    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


def opened(browser: Any, path: Path, **options: Any) -> tuple[Any, list[str], list[str]]:
    """A page, and lists that fill with its errors and with what it asks for."""
    page = browser.new_page(**options)
    page.set_default_timeout(10_000)
    errors, requests = [], []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    return page, errors, requests


def wait_until(page: Any, expression: str) -> None:
    """Until a JavaScript expression holds (the page's policy forbids `wait_for_function`)."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{expression} never held")
