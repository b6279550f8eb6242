"""A mentor takes a pause and comes back, in a real browser: with the keyboard alone, without scripts, and while others look on."""

from __future__ import annotations

import psycopg
import pytest
from playwright.async_api import expect

from tests.browser.windows import NARROW, Windows
from tests.cast import Mentor, World, add_mentor
from tests.servers import Database


@pytest.fixture
def una(module_database: Database, town: World) -> Mentor:
    """A mentor of north for one test."""
    with psycopg.connect(module_database.url) as connection:
        return add_mentor(connection, "Una", chapters=[town.north])


async def test_a_pause_with_the_keyboard_alone(window: Windows, una: Mentor) -> None:
    hers = await window.of(una)
    await hers.open("/me")
    await hers.tab_to("Take a pause")
    await hers.press("Enter")
    await expect(hers.page.locator("h1")).to_have_text("Take a pause")
    await hers.tab_to("Go on")
    await hers.press("Enter")
    # The summary of what is missing has the focus, and leads to the fields.
    summary = hers.page.locator(".ds-error-summary")
    await expect(summary).to_be_focused()
    assert await hers.barriers() == []
    await hers.press("Tab", "Enter")
    await hers.tab_to("Own wish")
    await hers.press("Space")
    await hers.tab_to("2 weeks")
    await hers.press("Space")
    await hers.tab_to("Go on")
    await hers.press("Enter")
    await expect(hers.page.locator("h1")).to_have_text("Check and confirm the pause")
    assert await hers.barriers() == []
    await hers.tab_to("Start the pause")
    await hers.press("Enter")
    await expect(hers.page.locator("h1")).to_have_text("You are on pause")
    assert await hers.barriers() == []
    await hers.tab_to("Be active again")
    await hers.press("Enter")
    await expect(hers.page.locator("h1")).to_have_text("Be active again")
    assert await hers.barriers() == []
    await hers.tab_to("Yes, I am active again")
    await hers.press("Enter")
    await expect(hers.page.locator("h1")).to_have_text("You are active")


async def test_a_pause_without_scripts_on_a_narrow_screen(window: Windows, una: Mentor) -> None:
    hers = await window.of(una, scripts=False, size=NARROW)
    await hers.open("/me")
    await hers.page.get_by_role("link", name="Take a pause").click()
    await hers.page.get_by_label("Travel").check()
    await hers.page.get_by_label("I do not know yet").check()
    await hers.page.get_by_role("button", name="Go on").click()
    await hers.page.get_by_role("button", name="Start the pause").click()
    await expect(hers.page.locator("h1")).to_have_text("You are on pause")
    await hers.page.get_by_role("link", name="Change the return date").click()
    await hers.page.get_by_label("1 month").check()
    await hers.page.get_by_role("button", name="Save the new day").click()
    await expect(hers.page.get_by_text("The day you expect to be back is saved.")).to_be_visible()
    assert await hers.overflow() == []


async def test_open_pages_follow(window: Windows, una: Mentor, town: World) -> None:
    hers, his = await window.of(una), await window.of(town.bo)
    await hers.open("/me")
    await his.open("/inbox")
    answer = await window.pages.api.as_(town.bo).post(
        f"/v1/mentors/{una.mentor_id}/pause", json={"reason": "coordinator_pause"}
    )
    assert answer.status_code == 200
    await expect(hers.page.locator("h1")).to_have_text("You are on pause", timeout=30_000)
    await expect(hers.page.locator("#live")).to_contain_text("On pause", timeout=30_000)
    answer = await window.pages.api.as_(una).post(f"/v1/mentors/{una.mentor_id}/reactivate", json={})
    assert answer.status_code == 200
    await expect(his.page.locator(".pp-inbox")).to_contain_text("Una Hansen", timeout=30_000)
    await expect(his.page.locator("#main-menu .pp-count")).to_be_visible(timeout=30_000)
