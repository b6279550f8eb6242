"""The settings over HTTP: how one wants to be told, in which language, on which devices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Any

import pytest

from tests.cast import Person, World, add_device, add_person
from tests.database.acting import Session, owner_session
from tests.servers import Database
from tests.web.pages import Browser, Pages

TOKEN = "a-very-secret-device-token"


@pytest.fixture(scope="module")
def owner(module_database: Database) -> Iterator[Session]:
    with owner_session(module_database) as session:
        yield session


@pytest.fixture
def nils(owner: Session) -> Person:
    with owner.transaction():
        return add_person(owner, "Nils")


@pytest.fixture
async def his(pages: Pages, nils: Person, town: World) -> Browser:
    return await pages.as_(nils)


def kept(owner: Session, person: Person) -> dict[str, Any]:
    row = owner.execute("select * from public.people where user_id = %s", (person.user_id,)).fetchone()
    assert row is not None
    return row


async def test_everything_is_kept_as_it_was_chosen(his: Browser, nils: Person, owner: Session) -> None:
    form = (await his.open("/settings")).form("/settings")
    assert (form["way"], form["language"], form["time_zone"]) == ("push", "", "")
    done = await his.send(
        "/settings",
        **{
            **form,
            "way": "email",
            "language": "nn",
            "time_zone": "Europe/London",
            "quiet_from": "22:00",
            "quiet_until": "7.30",
        },
    )
    assert "Innstillingane dine er lagra." in done.text
    now = kept(owner, nils)
    assert (now["push_enabled"], now["email_preferred"], now["language"], now["time_zone"]) == (
        False,
        True,
        "nn",
        "Europe/London",
    )
    assert (now["quiet_from"], now["quiet_until"]) == (time(22), time(7, 30))
    again = (await his.open("/settings")).form("/settings")
    assert (again["way"], again["language"], again["quiet_until"]) == ("email", "nn", "07:30")
    await his.send(
        "/settings", **{**again, "way": "inbox", "language": "", "quiet_from": "", "quiet_until": ""}
    )
    now = kept(owner, nils)
    assert (now["push_enabled"], now["email_preferred"], now["language"], now["quiet_from"]) == (
        False,
        False,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"way": "pigeon"}, "Choose how you want to be told."),
        ({"language": "de"}, "Choose a language."),
        ({"quiet_from": "22:00"}, "Quiet hours have a beginning and an end."),
        ({"quiet_until": "25:00"}, "Write the time as hours and minutes"),
        ({"time_zone": "Europe/Atlantis"}, "Choose a time zone from the list."),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_changed(
    his: Browser, nils: Person, owner: Session, changed: dict[str, str], sentence: str
) -> None:
    before = kept(owner, nils)
    form = (await his.open("/settings")).form("/settings")
    refused = await his.send("/settings", **{**form, **changed})
    assert (refused.status, sentence in refused.text) == (422, True)
    assert kept(owner, nils) == before


async def test_a_device_is_let_go_by_its_owner_only(
    pages: Pages, his: Browser, nils: Person, owner: Session, town: World
) -> None:
    with owner.transaction():
        add_device(owner, nils, TOKEN, platform="ios")
    shown = await his.open("/settings")
    assert "iPhone or iPad" in shown.text
    assert TOKEN not in shown.answer.text
    form = shown.form("/settings/devices/release")
    theirs = await pages.as_(town.bo)
    assert (await theirs.send("/settings/devices/release", device=form["device"])).status == 404
    assert (await his.send("/settings/devices/release", device=form["device"], csrf="x")).status == 403
    done = await his.send("/settings/devices/release", device=form["device"])
    assert "The device gets no more messages." in done.text
    assert owner.execute("select from public.device_tokens where token = %s", (TOKEN,)).fetchall() == []
    assert (await his.send("/settings/devices/release", device=form["device"])).status == 404


async def test_everything_about_oneself_is_a_file_to_take_home(
    his: Browser, nils: Person, pages: Pages, town: World
) -> None:
    assert {"/settings/everything.html", "/settings/everything.json"} <= set(
        (await his.open("/settings")).links()
    )
    data = (await his.open("/settings/everything.json")).answer
    assert data.headers["content-disposition"] == 'attachment; filename="person.json"'
    assert data.headers["cache-control"] == "no-store"
    assert nils.display_name in data.text
    assert town.ada.display_name not in data.text
    assert nils.display_name in (await his.open("/settings/everything.html")).answer.text
    assert (await his.open("/settings/everything.pdf")).status == 404
    assert (await pages.as_visitor().get("/settings/everything.json")).status_code == 303
