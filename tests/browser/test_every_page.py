"""Every page, for whoever reads it: no barrier that axe-core knows, in each language, light and dark, wide and narrow."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from peerpause.web.languages import LANGUAGES
from peerpause.web.router import AREAS
from peerpause.web.static import static_router
from tests.browser.addresses import ADDRESSES, NO_PAGES, Address
from tests.browser.windows import NARROW, WIDE, Windows
from tests.cast import World, build_world
from tests.database.acting import pause, person_session
from tests.servers import Database

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def town(module_database: Database) -> World:
    """The cast, with somebody on pause."""
    town = build_world(module_database.url)
    with person_session(module_database, town.finn) as finn:
        pause(finn, town.finn, "travel", p_expected_return_on="2099-01-10", p_note="Back with the birds.")
    return town


def test_no_page_is_left_out(town: World) -> None:
    looked_at = [urlsplit(address.path(town)).path for address in ADDRESSES]
    missing = [
        path
        for path in page_addresses()
        if path not in NO_PAGES and not any(matches(path, each) for each in looked_at)
    ]
    assert missing == [], "add these to addresses.py"
    assert NO_PAGES.keys() <= set(page_addresses())


def page_addresses() -> list[str]:
    """What one can ask for, as the router names it."""
    routes = [*static_router().routes, *(route for area in AREAS for route in area.router.routes)]
    return sorted(
        {
            route.path
            for route in routes
            if isinstance(route, Route | APIRoute) and "GET" in (route.methods or ())
        }
    )


def matches(path: str, address: str) -> bool:
    pattern = "".join(
        "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({[^}]+})", path)
    )
    return re.fullmatch(pattern, address) is not None


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
