"""Certificates, the check and the figures in a real browser: by keyboard alone, without scripts, and watched while a check runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import pytest

from tests.browser.windows import NARROW, WIDE, Windows
from tests.cast import Mentor, World, add_mentor, build_world, require_certificate
from tests.certifications.time_travel import certify, today_in
from tests.database.acting import Session, owner_session, status_of
from tests.servers import Database


@pytest.fixture(scope="module")
def town(module_database: Database) -> World:
    """The cast, in an organisation that requires a certificate."""
    town = build_world(module_database.url)
    with owner_session(module_database) as owner:
        require_certificate(owner, town.organisation_id)
    return town


@pytest.fixture
def owner(module_database: Database) -> Iterator[Session]:
    with owner_session(module_database) as session:
        yield session


@pytest.fixture
def today(owner: Session) -> date:
    return today_in(owner)


@pytest.fixture
def kari(owner: Session, town: World, today: date) -> Mentor:
    """A mentor of north, active although her certificate ran out yesterday."""
    kari = add_mentor(owner, "Kari", chapters=[town.north])
    certify(owner, kari, today - timedelta(days=1))
    return kari


async def test_a_check_is_run_and_a_renewal_recorded_by_keyboard_alone(
    window: Windows, town: World, owner: Session, kari: Mentor, today: date
) -> None:
    bo = await window.of(town.bo)
    await bo.open("/checks")
    await bo.tab_to("Run the check")
    await bo.page.keyboard.press("Enter")
    await bo.page.locator("#state", has_text="Done").wait_for()
    assert status_of(owner, kari) == "paused"
    assert await bo.page.locator("#run").get_by_text(kari.display_name).count() == 1
    assert await bo.barriers() == []

    await bo.open("/certificates")
    await bo.tab_to(f"Record renewal: {kari.display_name}")
    await bo.page.keyboard.press("Enter")
    await bo.page.get_by_role("heading", name="Record a renewal").wait_for()
    await bo.page.get_by_label("First valid day").fill(today.isoformat())
    await bo.page.get_by_label("Last valid day").fill((today + timedelta(days=700)).isoformat())
    await bo.tab_to("Review")
    await bo.page.keyboard.press("Enter")
    await bo.page.get_by_role("heading", name="Is this right?").wait_for()
    assert await bo.barriers() == []
    await bo.tab_to("Record the renewal")
    await bo.page.keyboard.press("Enter")
    await bo.page.get_by_role("heading", name="The renewal is recorded").wait_for()
    assert status_of(owner, kari) == "active"
    assert await bo.barriers() == []


async def test_everything_works_without_scripts(
    window: Windows, town: World, owner: Session, kari: Mentor
) -> None:
    bo = await window.of(town.bo, scripts=False)
    await bo.open("/certificates")
    await bo.page.get_by_label("Which certificates").select_option("expired")
    await bo.page.get_by_role("button", name="Show").click()
    assert await bo.page.get_by_role("link", name=kari.display_name).count() >= 1
    await bo.page.get_by_role("link", name="The check and its runs").click()
    await bo.page.get_by_role("button", name="Run the check").click()
    while await bo.page.get_by_role("link", name="Look again").count():
        await bo.page.get_by_role("link", name="Look again").click()
    assert "Done" in await bo.page.locator("#state").inner_text()
    assert status_of(owner, kari) == "paused"


async def test_a_run_is_watched_while_it_goes_on(window: Windows, town: World, owner: Session) -> None:
    run_id = uuid4()
    owner.execute(
        "insert into public.job_runs (id, job, organisation_id, started_by, expected, visited)"
        " values (%s, 'certification_expiry', %s, %s, 200, 50)",
        (run_id, town.organisation_id, town.bo.user_id),
    )
    bo = await window.of(town.bo)
    await bo.open(f"/checks/{run_id}")
    assert await bo.page.get_by_role("progressbar").get_attribute("value") == "0.250"
    assert await bo.barriers() == []
    owner.execute("update public.job_runs set visited = 150 where id = %s", (run_id,))
    await bo.page.get_by_text("150 of 200").wait_for()
    owner.execute(
        "update public.job_runs set status = 'succeeded', finished_at = now() where id = %s", (run_id,)
    )
    await bo.page.locator("#state", has_text="Done").wait_for()
    await bo.page.locator("#live", has_text="The check is over: Done").wait_for()


async def test_full_lists_and_figures_have_no_barrier_and_fit_a_phone(
    window: Windows, town: World, owner: Session, today: date
) -> None:
    for number in range(6):
        certify(
            owner, add_mentor(owner, f"Soon{number}", chapters=[town.north]), today + timedelta(days=number)
        )
    for person in (town.bo, town.dag):
        opened = await window.of(person, language="nb")
        for path in ("/certificates?window=90", "/checks", "/figures?months=24"):
            await opened.open(path)
            for name, size in (("wide", WIDE), ("narrow", NARROW)):
                await opened.show(size=size, scheme="light")
                assert await opened.barriers() == [], f"{path} {name}"
                assert await opened.overflow() == [], f"{path} {name}"
