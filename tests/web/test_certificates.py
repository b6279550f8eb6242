"""Certificates that run out, renewals, and the check by hand, as pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.database.session import Sessions
from tests.cast import Mentor, World, add_mentor, build_world, require_certificate
from tests.certifications.time_travel import certify, today_in
from tests.database.acting import Session, count, moves, owner_session, status_of
from tests.servers import Database
from tests.web.pages import Browser, Page, Pages


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
    kari = add_mentor(owner, f"Kari{uuid4().hex[:6]}", chapters=[town.north])
    certify(owner, kari, today - timedelta(days=1))
    return kari


@pytest.fixture
async def lapsed(module_database: Database, owner: Session, kari: Mentor) -> Mentor:
    """Kari, once the check has put her on pause."""
    async with Sessions(url=module_database.url, size=1) as sessions:
        await CertificationExpiryJob(sessions=sessions).run()
    assert status_of(owner, kari) == "paused"
    return kari


async def test_certificates_are_listed_by_their_last_day_and_by_how_soon_it_comes(
    pages: Pages, town: World, owner: Session, today: date
) -> None:
    names = {}
    for days in (-3, 5, 45, 200):
        mentor = add_mentor(owner, f"Ends{days}", chapters=[town.south])
        certify(owner, mentor, today + timedelta(days=days))
        names[days] = mentor.display_name
    cy = await pages.as_(town.cy)
    for window, expected in {"expired": [-3], "7": [-3, 5], "60": [-3, 5, 45]}.items():
        seen = await cy.open("/certificates", window=window)
        places = {days: seen.text.find(name) for days, name in names.items()}
        listed = sorted((at, days) for days, at in places.items() if at >= 0)
        assert [days for _, days in listed] == expected


async def test_a_renewed_certificate_is_off_the_list(
    pages: Pages, town: World, owner: Session, kari: Mentor, today: date
) -> None:
    bo = await pages.as_(town.bo)
    assert kari.display_name in (await bo.open("/certificates")).text
    certify(owner, kari, today + timedelta(days=300))
    assert kari.display_name not in (await bo.open("/certificates")).text


async def test_the_list_holds_nobody_of_another_chapter_or_organisation(
    pages: Pages, town: World, kari: Mentor
) -> None:
    for person in (town.cy, town.eva):
        seen = await (await pages.as_(person)).open("/certificates", window="90")
        assert seen.status == 200
        assert kari.first_name not in seen.answer.text
    cy = await pages.as_(town.cy)
    assert (await cy.open("/certificates", where=str(town.north.chapter_id))).status == 404
    assert (await (await pages.as_(town.ada)).open("/certificates")).status == 403


async def test_a_list_longer_than_a_page_is_walked_along(
    pages: Pages, town: World, owner: Session, today: date
) -> None:
    crowd = [add_mentor(owner, f"Crowd{number:03}", chapters=[town.south]) for number in range(60)]
    for mentor in crowd:
        certify(owner, mentor, today + timedelta(days=80))
    cy = await pages.as_(town.cy)
    first = await cy.open("/certificates", window="90")
    (following,) = [link for link in first.links() if "page=2" in link]
    text = first.text + (await cy.open(following)).text
    assert all(mentor.display_name in text for mentor in crowd)


async def test_a_renewal_brings_back_whom_the_certificate_had_paused(
    pages: Pages, town: World, owner: Session, lapsed: Mentor, today: date
) -> None:
    bo = await pages.as_(town.bo)
    form = await fill_in(bo, lapsed, today)
    review = await bo.send(renew(lapsed), **form, step="review")
    assert "active again" in review.text
    assert status_of(owner, lapsed) == "paused"
    done = await bo.send(renew(lapsed), **review.form(renew(lapsed)), step="record")
    assert done.answer.url.path == f"/certificates/{lapsed.mentor_id}/renewed"
    assert "active again" in done.text
    assert status_of(owner, lapsed) == "active"
    assert moves(owner, lapsed)[-1] == ("paused", "active")


async def test_a_renewal_sent_twice_is_recorded_once(
    pages: Pages, town: World, owner: Session, lapsed: Mentor, today: date
) -> None:
    bo = await pages.as_(town.bo)
    form = await fill_in(bo, lapsed, today)
    for _ in range(2):
        done = await bo.send(renew(lapsed), **form, step="record")
        assert done.status == 200
        assert "The renewal is recorded" in done.text
    assert renewals(owner, lapsed) == 1


async def test_a_certificate_recorded_meanwhile_is_told_and_nothing_typed_is_lost(
    pages: Pages, town: World, owner: Session, lapsed: Mentor, today: date
) -> None:
    bo, dag = await pages.as_(town.bo), await pages.as_(town.dag)
    form = await fill_in(bo, lapsed, today, note="the course in May")
    await dag.send(renew(lapsed), **await fill_in(dag, lapsed, today, days=900), step="record")
    refused = await bo.send(renew(lapsed), **form, step="record")
    assert refused.status == 409
    assert f"{town.dag.display_name} recorded a certificate" in refused.text
    again = refused.form(renew(lapsed))
    assert again["note"] == "the course in May"
    assert again["expires_on"] == form["expires_on"]
    assert renewals(owner, lapsed) == 1
    await bo.send(renew(lapsed), **again, step="record")
    assert renewals(owner, lapsed) == 2


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"issued_on": ""}, "Write the first day"),
        ({"issued_on": "2999-01-01"}, "cannot lie ahead"),
        ({"expires_on": ""}, "or tick that it has no end"),
        ({"expires_on": "2001-01-01"}, "cannot come before"),
        ({"issued_on": "2001-01-01", "expires_on": "2002-01-01"}, "is over already"),
        ({"endless": "yes"}, "not both"),
        ({"kind": ""}, "Choose which certificate"),
        ({"kind": "other"}, "Write what the certificate is called"),
        ({"expires_on": "soon"}, "day.month.year"),
        ({"note": "x" * 2001}, "Shorten this to 2000"),
    ],
)
async def test_a_form_that_makes_no_certificate_says_why_and_keeps_what_was_typed(
    pages: Pages, town: World, owner: Session, today: date, changed: dict[str, Any], sentence: str
) -> None:
    bo = await pages.as_(town.bo)
    form = {**await fill_in(bo, town.ada, today, note="kept"), **changed}
    refused = await bo.send(renew(town.ada), **form, step="record")
    assert refused.status == 422
    assert sentence in refused.text
    assert refused.form(renew(town.ada))["note"] == form["note"]
    assert renewals(owner, town.ada) == 0


async def test_only_who_answers_for_a_mentor_records_renewals(
    pages: Pages, town: World, owner: Session, today: date
) -> None:
    bo = await pages.as_(town.bo)
    form = await fill_in(bo, town.ada, today)
    for person, status in ((town.cy, 404), (town.eva, 404), (town.ada, 403)):
        browser = await pages.as_(person)
        assert (await browser.open(renew(town.ada))).status == status
        sent = await browser.send(renew(town.ada), **{**form, "csrf": browser.csrf}, step="record")
        assert sent.status == status
    forged = await bo.send(renew(town.ada), **{**form, "csrf": "guessed"}, step="record")
    assert forged.status == 403
    assert renewals(owner, town.ada) == 0


def renew(mentor: Mentor) -> str:
    return f"/certificates/{mentor.mentor_id}/renew"


def renewals(owner: Session, mentor: Mentor) -> int:
    return count(
        owner,
        "select count(*) from public.certification_renewals where mentor_id = %s",
        mentor.mentor_id,
    )


async def fill_in(
    browser: Browser, mentor: Mentor, today: date, *, days: int = 700, note: str = ""
) -> dict[str, Any]:
    """The form for a renewal, opened anew and filled in."""
    page: Page = await browser.open(renew(mentor))
    assert page.status == 200
    return {
        **page.form(renew(mentor)),
        "issued_on": today.isoformat(),
        "expires_on": (today + timedelta(days=days)).isoformat(),
        "note": note,
    }
