"""A person's data in the hands of their organisation's admins: found, taken along, erased when it is meant, and kept no longer than said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import World
from tests.web.pages import Pages


def _here(town: World) -> str:
    return f"/admin/{town.organisation_id}/privacy"


async def test_nobody_else_finds_anything_there(pages: Pages, town: World) -> None:
    one = f"/{town.ada.user_id}"
    for person in (town.bo, town.eva):
        browser = await pages.as_(person)
        for path in ("", one, f"{one}/export.json", f"{one}/erase"):
            assert (await browser.open(_here(town) + path)).status == 404
        assert (await browser.send(f"{_here(town)}{one}/erase", name=town.ada.display_name)).status == 404


async def test_people_of_another_organisation_are_not_there(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    assert "Nobody of your organisation" in (await browser.open(_here(town), q="Greta")).text
    for ending in ("", "/export.json", "/erase"):
        assert (await browser.open(f"{_here(town)}/{town.greta.user_id}{ending}")).status == 404


async def test_everything_about_a_person_is_taken_along_and_that_is_recorded(
    pages: Pages, town: World
) -> None:
    browser = await pages.as_(town.dag)
    one = f"{_here(town)}/{town.ada.user_id}"
    assert one in (await browser.open(_here(town), q="ada")).links()
    data = (await browser.open(f"{one}/export.json")).answer
    assert "attachment" in data.headers["content-disposition"]
    assert data.json()["sections"]["peer_mentors"]
    assert town.ada.display_name in (await browser.open(f"{one}/export.html")).answer.text
    assert f"{town.dag.display_name} took everything as a file" in (await browser.open(one)).text


@pytest.mark.parametrize("days", ["", "0", "6", "soon", "4000"])
async def test_a_time_out_of_bounds_is_refused_and_stays_in_the_field(
    pages: Pages, town: World, days: str
) -> None:
    browser = await pages.as_(town.dag)
    form: dict[str, Any] = {**(await browser.open(_here(town))).form(_here(town)), "deliveries_days": days}
    seen = await browser.send(_here(town), **form)
    assert seen.status == 422
    assert seen.form(_here(town))["deliveries_days"] == days


async def test_how_long_things_are_kept_is_decided_by_the_admin(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    form: dict[str, Any] = {**(await browser.open(_here(town))).form(_here(town)), "deliveries_days": "30"}
    seen = await browser.send(_here(town), **form)
    assert "The times are saved." in seen.text
    assert seen.form(_here(town))["deliveries_days"] == "30"


async def test_a_person_is_erased_only_when_their_name_is_typed(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    erase = f"{_here(town)}/{town.finn.user_id}/erase"
    asked = await browser.open(erase)
    assert "This cannot be undone." in asked.text
    refused = await browser.send(erase, name="Finn")
    assert refused.status == 422
    assert town.finn.display_name in (await browser.open(_here(town), q="Finn")).text
    done = await browser.send(erase, name=f" {town.finn.display_name} ")
    assert "The person is erased." in done.text
    assert town.finn.display_name not in (await browser.open(_here(town), q="Finn")).text
