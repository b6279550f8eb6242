"""The admins' pages: theirs alone, every change recorded, and nothing lost to whoever was a little slower."""

from __future__ import annotations

import psycopg
import pytest

from tests.cast import World, add_admin
from tests.web.pages import Pages


def _settings(town: World) -> str:
    return f"/admin/{town.organisation_id}/settings"


def _chapter(town: World) -> str:
    return f"/admin/{town.organisation_id}/chapters/{town.south.chapter_id}"


async def test_an_admin_of_one_organisation_comes_straight_to_it(pages: Pages, town: World) -> None:
    seen = await (await pages.as_(town.dag)).open("/admin")
    assert (seen.status, seen.heading) == (200, "Hearing Friends")


async def test_an_admin_of_several_chooses(pages: Pages, town: World) -> None:
    seen = await (await pages.as_(town.hal)).open("/admin")
    assert f"/admin/{town.other_organisation_id}" in seen.links()


@pytest.mark.parametrize("path", ["", "/settings", "/chapters"])
async def test_nobody_else_finds_anything_there(pages: Pages, town: World, path: str) -> None:
    for person in (town.ada, town.bo, town.eva):
        seen = await (await pages.as_(person)).open(f"/admin/{town.organisation_id}{path}")
        assert seen.status == 404
        assert "Hearing Friends" not in seen.text


async def test_nobody_else_changes_anything_there(pages: Pages, town: World) -> None:
    for person in (town.bo, town.eva):
        browser = await pages.as_(person)
        assert (await browser.send(_settings(town), language="en")).status == 404
        assert (await browser.send(f"{_chapter(town)}/give", person=str(person.user_id))).status == 404


async def test_the_front_page_names_a_chapter_without_a_coordinator(pages: Pages, town: World) -> None:
    with psycopg.connect(pages.database.url) as connection:
        connection.execute(
            "insert into public.chapters (organisation_id, name) values (%s, 'lonely')",
            (town.other_organisation_id,),
        )
    seen = await (await pages.as_(town.eva)).open("/admin")
    assert "1 chapter has no coordinator" in seen.text


async def test_settings_are_changed_and_the_change_is_recorded(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    form = (await browser.open(_settings(town))).form()
    changed = await browser.send(
        _settings(town),
        **{**form, "role_word": "friend", "reminder_days": "7, 30,60", "label-travel-en": "Away"},
    )
    assert changed.status == 200
    assert "The settings are saved." in changed.text
    assert changed.form()["reminder_days"] == "60, 30, 7"
    assert changed.form()["label-travel-en"] == "Away"
    assert "– → friend" in changed.text
    assert town.dag.display_name in changed.text


async def test_what_was_typed_stays_where_something_is_wrong(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    form = (await browser.open(_settings(town))).form()
    seen = await browser.send(
        _settings(town), **{**form, "reminder_days": "soon", "role_word_plural": "pals"}
    )
    assert seen.status == 422
    assert seen.title.startswith("Error")
    assert seen.form()["reminder_days"] == "soon"
    assert seen.form()["role_word_plural"] == "pals"


async def test_the_slower_of_two_admins_is_told_and_loses_nothing(pages: Pages, town: World) -> None:
    with psycopg.connect(pages.database.url) as connection:
        other = add_admin(connection, "Ida", town.organisation_id)
    slow, quick = await pages.as_(town.dag), await pages.as_(other)
    form = (await slow.open(_settings(town))).form()
    await quick.send(_settings(town), **{**form, "csrf": quick.csrf, "language": "nn"})
    seen = await slow.send(_settings(town), **{**form, "role_word_plural": "companions"})
    assert seen.status == 409
    assert "Somebody else changed this meanwhile." in seen.text
    assert "nb → nn" in seen.text
    assert seen.form()["role_word_plural"] == "companions"
    again = await slow.send(_settings(town), **seen.form())
    assert "The settings are saved." in again.text


async def test_a_form_that_changes_nothing_leaves_no_record(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.eva)
    path = f"/admin/{town.other_organisation_id}/settings"
    seen = await browser.send(path, **(await browser.open(path)).form())
    assert "Nothing yet." in seen.text


async def test_somebody_of_the_organisation_becomes_coordinator_and_is_one_no_longer(
    pages: Pages, town: World
) -> None:
    browser = await pages.as_(town.dag)
    found = await browser.open(_chapter(town), q="bo@")
    assert town.bo.display_name in found.text
    given = await browser.send(f"{_chapter(town)}/give", person=str(town.bo.user_id))
    assert "The chapter has a new coordinator" in given.text
    assert (await (await pages.as_(town.bo)).open(f"/admin/{town.organisation_id}")).status == 404
    taken = await browser.send(f"{_chapter(town)}/take", person=str(town.bo.user_id))
    assert "The role has ended" in taken.text
    assert town.bo.display_name in (await browser.open(_settings(town))).text


async def test_nobody_of_another_organisation_is_found_or_becomes_coordinator(
    pages: Pages, town: World
) -> None:
    browser = await pages.as_(town.dag)
    assert "Nobody of your organisation" in (await browser.open(_chapter(town), q="Greta")).text
    refused = await browser.send(f"{_chapter(town)}/give", person=str(town.greta.user_id))
    assert refused.status == 400
