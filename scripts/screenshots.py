"""`make screenshots`: the pictures of the README, taken in Chromium from the demo. Writes docs/pictures/*.png.

Starts a demo of its own in a folder of its own, so it disturbs none that runs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, ViewportSize, sync_playwright

_PICTURES: Final = Path(__file__).parents[1] / "docs" / "pictures"
_CHROMIUM: Final = Path("/usr/bin/chromium")
_PHONE: Final = ViewportSize(width=390, height=780)
_DESKTOP: Final = ViewportSize(width=1280, height=800)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: ``part`` is whom of the demo's front page to be, by the words on their card."""

    name: str
    part: str
    path: str
    size: ViewportSize


PICTURES: Final = (
    Picture("paused-phone", "On pause", "/me", _PHONE),
    Picture("coordinator", "See who is away", "/mentors", _DESKTOP),
    Picture("admin", "Admin of the whole organisation", "/admin", _DESKTOP),
)


def main() -> None:
    """Take all of them."""
    if not _CHROMIUM.exists():
        sys.exit(f"{_CHROMIUM} is missing. On Debian: apt-get install chromium fonts-noto-core")
    _PICTURES.mkdir(parents=True, exist_ok=True)
    with _demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for picture in PICTURES:
            _take(browser, url, picture)
        browser.close()


def _take(browser: Browser, url: str, picture: Picture) -> None:
    context = browser.new_context(
        base_url=url, viewport=picture.size, locale="en-GB", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/demo")
    page.locator("form", has_text=picture.part).first.get_by_role("button").click()
    page.goto(picture.path)
    file = _PICTURES / f"{picture.name}.png"
    page.screenshot(path=file)
    print(file.relative_to(_PICTURES.parents[1]))
    context.close()


@contextmanager
def _demo() -> Iterator[str]:
    """A demo whose story has been told; gives its address."""
    with tempfile.TemporaryDirectory(prefix="peerpause-pictures-") as folder:
        command = [sys.executable, "-c", "from peerpause.cli import main; main()", "demo"]
        process = subprocess.Popen(
            [*command, "--port", "0", "--data", folder], stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/demo", line):
            return found[1]
    sys.exit("The demo ended:\n" + "".join(said))


if __name__ == "__main__":
    main()
