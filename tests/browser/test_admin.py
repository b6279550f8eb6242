"""What an admin does, in a real browser: by keyboard alone, without scripts, and from one organisation and one part to the next."""

from __future__ import annotations

import psycopg
import pytest
from playwright.async_api import FilePayload, expect

from peerpause.notifications.channels.webhook import WebhookChannel
from tests.browser.windows import NARROW, Windows
from tests.cast import World, add_mentor, make_admin
from tests.servers import Database

# For a machine that is busy with other tests; what is waited for ends the wait.
_PATIENCE = 20_000


async def test_settings_are_changed_with_the_keyboard_alone(window: Windows, town: World) -> None:
    dag = await window.of(town.dag)
    await dag.open("/admin")
    await dag.tab_to("Settings and words")
    await dag.press("Enter")
    await expect(dag.page.locator("h1")).to_have_text("Settings and words", timeout=_PATIENCE)
    await dag.tab_to("Remind so many days before a certificate runs out")
    await dag.press("Control+a")
    await dag.page.keyboard.type("soon")
    await dag.tab_to("Save the settings")
    await dag.press("Enter")
    # The summary of what is wrong has the focus, leads to the field, and what was typed is still there.
    await expect(dag.page.locator(".ds-error-summary")).to_be_focused(timeout=_PATIENCE)
    await dag.press("Tab", "Enter")
    await expect(dag.page.locator("#field-reminder_days")).to_be_focused(timeout=_PATIENCE)
    assert await dag.page.locator("#field-reminder_days").input_value() == "soon"
    await dag.press("Control+a")
    await dag.page.keyboard.type("30, 7")
    await dag.tab_to("Travel")
    await dag.press("Enter")
    await expect(dag.page.locator("#field-label-travel-en")).to_be_visible(timeout=_PATIENCE)
    await dag.tab_to("English")
    await dag.page.keyboard.type("Away")
    await dag.tab_to("Save the settings")
    await dag.press("Enter")
    await expect(dag.page.get_by_role("status").filter(has_text="The settings are saved.")).to_be_focused(
        timeout=_PATIENCE
    )
    assert await dag.page.locator("#field-reminder_days").input_value() == "30, 7"
    assert await dag.page.locator("#field-label-travel-en").input_value() == "Away"
    assert await dag.barriers() == []


async def test_people_are_imported_without_scripts_on_a_narrow_screen(window: Windows, town: World) -> None:
    dag = await window.of(town.dag, scripts=False, size=NARROW)
    await dag.open("/admin")
    await dag.page.get_by_role("link", name="Import").click()
    lines = [
        "organisation,person,role,first_name,display_name,chapters",
        f"{town.organisation_id},M-1,mentor,Mia,Mia Berg,",
        f"{town.organisation_id},M-2,wizard,Ola,Ola Berg,",
    ]
    await dag.page.get_by_label("CSV files").set_input_files(_csv(lines))
    await dag.page.get_by_role("button", name="Look through").click()
    await expect(dag.page.locator("main")).to_contain_text("Nothing was imported.", timeout=_PATIENCE)
    await expect(dag.page.get_by_role("row").filter(has_text="line 3")).to_contain_text(
        "role", timeout=_PATIENCE
    )
    assert await dag.overflow() == []
    await dag.page.get_by_role("link", name="Choose other files").click()
    await dag.page.get_by_label("CSV files").set_input_files(_csv(lines[:2]))
    await dag.page.get_by_role("button", name="Look through").click()
    await expect(dag.page.locator("main")).to_contain_text("Nothing has been changed yet.", timeout=_PATIENCE)
    assert await dag.overflow() == []
    await dag.page.get_by_role("button", name="Import all of this").click()
    await expect(dag.page.get_by_role("status").first).to_contain_text("Imported:", timeout=_PATIENCE)
    await dag.open("/mentors?q=mia")
    await expect(dag.page.get_by_role("link", name="Mia Berg")).to_be_visible(timeout=_PATIENCE)


async def test_a_website_is_added_gets_a_new_secret_and_is_switched_off(
    window: Windows, town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leads_to_the_public(channel: WebhookChannel, url: str) -> bool:
        return url.startswith("https://www.example.org/")

    monkeypatch.setattr(WebhookChannel, "leads_to_the_public", leads_to_the_public)
    dag = await window.of(town.dag)
    await dag.open(f"/admin/{town.organisation_id}/webhooks")
    await dag.page.get_by_label("Address").fill("https://www.example.org/hooks")
    await dag.page.get_by_role("button", name="Add the website").click()
    secret = dag.page.get_by_role("status").locator("code")
    await expect(secret).to_contain_text("whsec_", timeout=_PATIENCE)
    first = await secret.inner_text()
    assert await dag.barriers() == []
    await dag.page.get_by_role("button", name="New secret", exact=True).click()
    await expect(secret).not_to_have_text(first, timeout=_PATIENCE)
    await dag.page.get_by_role("button", name="Switch off").click()
    await expect(dag.page.get_by_role("status").first).to_contain_text(
        "This website is told nothing more.", timeout=_PATIENCE
    )
    await expect(dag.page.locator("main")).not_to_contain_text("whsec_", timeout=_PATIENCE)


async def test_whoever_has_several_parts_goes_from_one_to_the_next(
    window: Windows, town: World, module_database: Database
) -> None:
    with psycopg.connect(module_database.url) as connection:
        liv = add_mentor(connection, "Liv", chapters=[town.north])
        make_admin(connection, liv, town.organisation_id)
        make_admin(connection, liv, town.other_organisation_id)
    hers = await window.of(liv)
    await hers.open("/")
    await hers.tab_to("My page")
    await hers.press("Enter")
    await expect(hers.page.locator("h1")).to_have_text("You are active", timeout=_PATIENCE)
    for organisation, person in (("Other Friends", "Greta Hansen"), ("Hearing Friends", "Ada Hansen")):
        await hers.tab_to("Organisation")
        await hers.press("Enter")
        await expect(hers.page.locator("h1")).to_have_text("Choose an organisation", timeout=_PATIENCE)
        await hers.page.locator("main").get_by_role("link", name=organisation).press("Enter")
        await expect(hers.page.locator("h1")).to_have_text(organisation, timeout=_PATIENCE)
        await hers.open(f"/mentors?where={_organisation(hers.page.url)}")
        await expect(hers.page.get_by_role("link", name=person)).to_be_visible(timeout=_PATIENCE)


async def test_an_open_front_page_follows_the_watchdog(
    window: Windows, town: World, module_database: Database
) -> None:
    dag = await window.of(town.dag)
    await dag.open("/admin")
    attention = dag.page.locator("#attention-list")
    await expect(attention).to_contain_text("Everything runs as it should.", timeout=_PATIENCE)
    with psycopg.connect(module_database.url) as connection:
        connection.execute("set local role service_role")
        connection.execute(
            "update public.organisations set required_certification_kinds = '{peer_mentor}' where id = %s",
            (town.organisation_id,),
        )
        connection.execute("select peerpause.watch_certificates()")
    await expect(attention.get_by_role("link", name="To the checks").first).to_be_visible(timeout=_PATIENCE)
    await expect(attention).not_to_contain_text("Everything runs as it should.")


@pytest.mark.parametrize("path", ["/mentors?status=all", "/admin", "/inbox"])
async def test_high_contrast_keeps_what_colours_say(window: Windows, town: World, path: str) -> None:
    dag = await window.of(town.dag, forced_colours=True)
    await dag.open(path)
    assert await dag.barriers() == []
    borders = await dag.page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".pp-nav a")]
          .map((each) => [each.hasAttribute("aria-current"), getComputedStyle(each).borderBlockEndColor]))"""
    )
    assert borders["true"] != borders["false"]
    unmarked = await dag.page.evaluate(
        """() => [...document.querySelectorAll(".pp-status")].filter((each) =>
          getComputedStyle(each, "::before").backgroundColor === getComputedStyle(each).backgroundColor)
          .map((each) => each.outerHTML)"""
    )
    assert unmarked == []


def _csv(lines: list[str]) -> FilePayload:
    return {"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}


def _organisation(address: str) -> str:
    return address.rsplit("/", 1)[-1]
