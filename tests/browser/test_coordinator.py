"""What a coordinator does, in a real browser: by keyboard alone, without scripts, and with two people at work at once."""

from __future__ import annotations

import asyncio

import psycopg
from playwright.async_api import expect

from tests.browser.windows import NARROW, Windows
from tests.cast import World, add_mentor
from tests.servers import Database

# For a machine that is busy with other tests; what is waited for ends the wait.
_PATIENCE = 20_000


async def test_a_coordinator_pauses_somebody_with_the_keyboard_alone(
    window: Windows, town: World, module_database: Database
) -> None:
    with psycopg.connect(module_database.url) as connection:
        add_mentor(connection, "Ida", chapters=[town.north])
    bo = await window.of(town.bo)
    await bo.open("/mentors")
    await bo.tab_to("Ida Hansen")
    if "Select" in str(await bo.page.evaluate("document.activeElement.labels?.[0]?.textContent")):
        await bo.tab_to("Ida Hansen")
    await bo.press("Enter")
    await expect(bo.page.locator("h1")).to_have_text("Ida Hansen", timeout=_PATIENCE)
    await bo.tab_to("Pause …")
    await bo.press("Enter")
    await expect(bo.page.locator("h1")).to_have_text("Put Ida Hansen on pause", timeout=_PATIENCE)
    await bo.tab_to("Look through it")
    await bo.press("Enter")
    # The summary of what is wrong has the focus, and leads to the field.
    await expect(bo.page.locator(".ds-error-summary")).to_be_focused(timeout=_PATIENCE)
    await bo.press("Tab", "Enter", "Tab", "Space")
    await bo.tab_to("Look through it")
    await bo.press("Enter")
    await expect(bo.page.locator("h1")).to_have_text("Is this right?", timeout=_PATIENCE)
    assert await bo.barriers() == []
    await bo.tab_to("Yes, pause")
    await bo.press("Enter")
    await expect(bo.page.get_by_role("status").filter(has_text="Ida Hansen is now on pause.")).to_be_focused(
        timeout=_PATIENCE
    )
    assert await bo.barriers() == []


async def test_several_are_paused_without_scripts_on_a_narrow_screen(
    window: Windows, town: World, module_database: Database
) -> None:
    with psycopg.connect(module_database.url) as connection:
        for name in ("Jo", "Kim"):
            add_mentor(connection, name, chapters=[town.north])
    bo = await window.of(town.bo, scripts=False, size=NARROW)
    await bo.open("/mentors?q=hansen")
    for name in ("Jo", "Kim"):
        await bo.page.get_by_label(f"Select {name} Hansen").check()
    await bo.page.get_by_role("button", name="Pause …", exact=True).click()
    await expect(bo.page.locator("main")).to_contain_text("2 persons will be changed", timeout=_PATIENCE)
    await bo.page.get_by_label("Travel").check()
    await bo.page.get_by_role("button", name="Yes, pause").click()
    await expect(bo.page.locator("main")).to_contain_text("2 changed, 0 refused.", timeout=_PATIENCE)


async def test_an_open_list_follows_what_others_do_and_says_so(
    window: Windows, town: World, module_database: Database
) -> None:
    with psycopg.connect(module_database.url) as connection:
        lea = add_mentor(connection, "Lea", chapters=[town.north])
    bo, dag = await asyncio.gather(window.of(town.bo), window.of(town.dag))
    await bo.open("/mentors?q=lea")
    row = bo.page.get_by_role("row").filter(has_text="Lea Hansen")
    await expect(row).to_contain_text("Active", timeout=_PATIENCE)
    await dag.open(f"/mentors/{lea.mentor_id}/pause")
    await dag.page.get_by_label("Travel").check()
    await dag.page.get_by_role("button", name="Look through it").click()
    await dag.page.get_by_role("button", name="Yes, pause").click()
    await expect(row).to_contain_text("On pause", timeout=_PATIENCE)
    await expect(bo.page.locator("#live")).to_contain_text("The list was updated", timeout=_PATIENCE)


async def test_filters_refresh_the_list_and_leave_the_focus_where_it_was(
    window: Windows, town: World
) -> None:
    bo = await window.of(town.bo)
    await bo.open("/mentors")
    await bo.page.get_by_label("Name", exact=True).fill("ada")
    await bo.page.get_by_role("button", name="Show").click()
    await expect(bo.page.locator("#results")).not_to_contain_text("Finn", timeout=_PATIENCE)
    await expect(bo.page.locator("#results")).to_contain_text("Ada", timeout=_PATIENCE)
    assert "q=ada" in bo.page.url
    await expect(bo.page.get_by_role("button", name="Show")).to_be_focused(timeout=_PATIENCE)
