"""A real Chromium for the run, the pages on a database that the tests of a module share, and windows for each test.

Everything here lives in one event loop, because the browser outlives a test.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import async_playwright

from peerpause.worker.schema import ensure_schema
from tests.browser.windows import Windows, windows
from tests.cast import World, build_world
from tests.servers import Database
from tests.web.pages import Pages, opened_pages

_PROGRAM = Path("/usr/bin/chromium")
_IS_HERE = _PROGRAM.exists()
_SWITCHES = [
    "--no-sandbox",  # as root it does not start otherwise
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        is_async = isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function)
        if is_async and item.path.is_relative_to(here):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """One browser for the whole run."""
    if not _IS_HERE:
        pytest.skip("not run: the tests in a real browser (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_PROGRAM, args=_SWITCHES)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def town(module_database: Database) -> World:
    """The cast, in a database that the tests of one module share."""
    return build_world(module_database.url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pages(module_database: Database, town: World) -> AsyncIterator[Pages]:
    """The pages of that town, with a worker beside them, so that news travel."""
    await ensure_schema(module_database.url)
    async with opened_pages(module_database, with_worker=True) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def window(chromium: Chromium, pages: Pages) -> AsyncIterator[Windows]:
    """`await window.of(town.bo)` opens a window in which Bo is signed in."""
    async with windows(chromium, pages) as opener:
        yield opener
