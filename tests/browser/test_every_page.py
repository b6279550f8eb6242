"""Every page, for whoever reads it: no barrier that axe-core knows, in each language, light and dark, wide and narrow."""

from __future__ import annotations

from typing import Literal

import pytest

from peerpause.web.languages import LANGUAGES
from tests.browser.addresses import ADDRESSES, Address
from tests.browser.windows import NARROW, WIDE, Windows
from tests.cast import World

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.name)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_nobody_meets_a_barrier(window: Windows, town: World, address: Address, language: str) -> None:
    opened = await window.of(address.reader(town), language=language)
    await opened.open(address.path(town))
    for name, size in (("wide", WIDE), ("narrow", NARROW)):
        for scheme in _SCHEMES:
            await opened.show(size=size, scheme=scheme)
            assert await opened.barriers() == [], f"{name}, {scheme}"
            if language == "nb":
                await opened.screenshot(f"{address.name}-{name}-{scheme}")
        assert await opened.overflow() == [], name
    assert await opened.page.locator("h1").count() == 1
