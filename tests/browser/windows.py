"""Browser windows in which somebody is signed in, what goes wrong in them, and what axe-core finds on a page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from peerpause.web.cookies import SESSION
from tests.cast import Person
from tests.project.sources import ROOT
from tests.web.pages import Pages

WIDE: Final = (1280, 900)
NARROW: Final = (320, 640)
"""The narrowest screen WCAG asks for; also what a wide one is at 400 % zoom."""

SCREENSHOTS: Final = ROOT / "var" / "screenshots"
_AXE: Final = ROOT / "node_modules" / "axe-core" / "axe.min.js"
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN_AXE: Final = """async (rules) => (await axe.run(document, {runOnly: rules, resultTypes: ["violations"]})).violations
  .map((each) => `${each.id}: ${each.help} (${each.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).join("; ")})`)"""
_TOO_WIDE: Final = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > room + 1)
    .slice(0, 5).map((each) => each.outerHTML.slice(0, 120));
}"""


@dataclass(slots=True)
class Window:
    """One window; ``page`` is Playwright's. Whatever the browser complained of is in ``complaints``."""

    page: Page
    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Go to one of our pages."""
        await self.page.goto(self.url + path)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def tab_to(self, name: str, *, most: int = 80) -> None:
        """Press Tab until what has the focus bears this name, as somebody does who has no mouse."""
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            focused = await self.page.evaluate(
                """() => { const e = document.activeElement; return (e.labels && e.labels.length
                ? [...e.labels].map((l) => l.textContent).join(" ") : e.getAttribute("aria-label") || e.textContent || e.value || "").trim() }"""
            )
            if name in str(focused):
                return
        raise AssertionError(f"the keyboard does not reach {name!r}")

    async def heading(self) -> str:
        """The page's first heading."""
        return (await self.page.locator("h1").inner_text()).strip()

    async def barriers(self) -> Sequence[str]:
        """What axe-core finds on the page as it is."""
        await self.page.evaluate(_axe())
        found: list[str] = await self.page.evaluate(_RUN_AXE, _RULES)
        return found

    async def show(self, *, size: tuple[int, int], scheme: Literal["light", "dark"]) -> None:
        """Look at the page as it is on another screen."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})
        await self.page.emulate_media(color_scheme=scheme)
        await self.page.evaluate(
            "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
        )

    async def overflow(self) -> Sequence[str]:
        """What is wider than the window, so that one would have to scroll sideways."""
        found: list[str] = await self.page.evaluate(_TOO_WIDE)
        return found

    async def screenshot(self, name: str) -> Path:
        """A picture of the whole page, kept as ``var/screenshots/<name>.png``."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        await self.page.screenshot(path=path, full_page=True)
        return path


@dataclass(frozen=True, slots=True)
class Windows:
    """Opens windows on the pages; at the end of a test none of them may have had anything to complain of."""

    chromium: Chromium
    pages: Pages
    opened: list[Window] = field(default_factory=list)

    async def of(
        self,
        person: Person | None,
        *,
        size: tuple[int, int] = WIDE,
        scheme: Literal["light", "dark"] = "light",
        language: str = "en",
        scripts: bool = True,
        forced_colours: bool = False,
    ) -> Window:
        """A window in which this person, or nobody, is signed in."""
        width, height = size
        context = await self.chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale={"nb": "nb-NO", "nn": "nn-NO"}.get(language, "en-GB"),
            java_script_enabled=scripts,
            forced_colors="active" if forced_colours else "none",
            reduced_motion="reduce",
        )
        cookies: list[Any] = [{"name": "language", "value": language, "url": self.pages.api.url}]
        if person is not None:
            word = (await self.pages.as_(person)).client.cookies[SESSION]
            cookies.append({"name": SESSION, "value": word, "url": self.pages.api.url})
        await context.add_cookies(cookies)
        window = Window(await context.new_page(), context, self.pages.api.url)
        _listen(window)
        self.opened.append(window)
        return window


@asynccontextmanager
async def windows(chromium: Chromium, pages: Pages) -> AsyncIterator[Windows]:
    """Windows for one test."""
    opener = Windows(chromium, pages)
    try:
        yield opener
    finally:
        for window in opener.opened:
            await window.context.close()
    assert [complaint for window in opener.opened for complaint in window.complaints] == []


def _listen(window: Window) -> None:
    def heard(message: ConsoleMessage) -> None:
        # A page that says "not found" is what we asked for; a file that is missing from a page is not.
        is_the_page_itself = message.location.get("url") == window.page.url and "status of 4" in message.text
        if message.type == "error" and not is_the_page_itself:
            window.complaints.append(f"{window.page.url}: {message.text}")

    window.page.on("console", heard)
    window.page.on("pageerror", lambda error: window.complaints.append(f"{window.page.url}: {error}"))


@cache
def _axe() -> str:
    return _AXE.read_text("utf-8")
