"""The certificate check by hand: who may start it, how it is watched, and what its runs tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from peerpause.certifications.checks import ChecksByHand
from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.database.session import Claims, Sessions
from tests.cast import Mentor, World, add_mentor, build_world, require_certificate
from tests.certifications.time_travel import certify, today_in
from tests.database.acting import Session, owner_session, status_of
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
def kari(owner: Session, town: World) -> Mentor:
    """A mentor of north whose certificate ran out yesterday."""
    kari = add_mentor(owner, f"Kari{uuid4().hex[:6]}", chapters=[town.north])
    certify(owner, kari, today_in(owner) - timedelta(days=1))
    return kari


@pytest.fixture
def olav(owner: Session, town: World) -> Mentor:
    """One of south, likewise."""
    olav = add_mentor(owner, f"Olav{uuid4().hex[:6]}", chapters=[town.south])
    certify(owner, olav, today_in(owner) - timedelta(days=1))
    return olav


async def test_a_coordinator_sees_what_the_check_would_do_runs_it_and_sees_what_it_did(
    pages: Pages, town: World, owner: Session, kari: Mentor, olav: Mentor
) -> None:
    bo = await pages.as_(town.bo)
    before = await bo.open("/checks")
    assert kari.display_name in before.text
    assert olav.display_name not in before.text
    assert status_of(owner, kari) == "active"

    run = await finished(bo, await bo.send("/checks", **before.form("/checks")))
    assert "Done" in run.text
    assert kari.display_name in run.text
    assert status_of(owner, kari) == "paused"
    assert status_of(owner, olav) == "active"
    assert (await bo.open("/checks")).text.count("Done") >= 1


async def test_a_run_is_seen_by_who_started_it_and_by_the_admins_and_names_only_their_own(
    pages: Pages, town: World, owner: Session, kari: Mentor
) -> None:
    bo = await pages.as_(town.bo)
    run = await finished(bo, await bo.send("/checks", where=str(town.north.chapter_id)))
    path = run.answer.url.path
    assert town.bo.display_name in (await (await pages.as_(town.dag)).open(path)).text
    for person in (town.cy, town.eva):
        assert (await (await pages.as_(person)).open(path)).status == 404
    assert (await (await pages.as_(town.ada)).open(path)).status == 403


async def test_nobody_checks_a_chapter_that_is_not_theirs(
    pages: Pages, town: World, owner: Session, kari: Mentor
) -> None:
    cy = await pages.as_(town.cy)
    assert (await cy.send("/checks", where=str(town.north.chapter_id))).status == 404
    assert (await (await pages.as_(town.ada)).send("/checks")).status == 403
    assert (await cy.send("/checks", csrf="guessed")).status == 403
    assert status_of(owner, kari) == "active"


async def test_of_two_checks_at_once_one_runs_and_the_other_is_told_so(
    pages: Pages, town: World, owner: Session
) -> None:
    owner.execute("insert into public.job_runs (job) values ('certification_expiry')")
    try:
        told = await (await pages.as_(town.bo)).send("/checks")
        assert told.answer.url.path == "/checks"
        assert "A check is running already" in told.text
        dag = await (await pages.as_(town.dag)).send("/checks")
        assert "Watch the one that is running" in dag.text
    finally:
        owner.execute("delete from public.job_runs where status = 'running'")


async def test_a_run_that_is_under_way_shows_how_far_it_has_come(
    pages: Pages, town: World, owner: Session
) -> None:
    run_id = uuid4()
    owner.execute(
        "insert into public.job_runs (id, job, organisation_id, started_by, expected, visited)"
        " values (%s, 'certification_expiry', %s, %s, 200, 50)",
        (run_id, town.organisation_id, town.bo.user_id),
    )
    try:
        seen = await (await pages.as_(town.bo)).open(f"/checks/{run_id}")
        assert "50 of 200" in seen.text
        assert '<progress class="pp-progress" id="progress" value="0.250"' in seen.answer.text
        assert 'data-live-every="1000"' in seen.answer.text
    finally:
        owner.execute("delete from public.job_runs where id = %s", (run_id,))


async def test_a_run_tells_of_whom_it_could_not_pause_by_the_names_that_the_reader_may_see(
    pages: Pages, town: World, owner: Session, kari: Mentor
) -> None:
    failures = f'[{{"mentor_id": "{kari.mentor_id}", "sqlstate": "23514"}}, {{"mentor_id": "{town.greta.mentor_id}", "sqlstate": "23514"}}]'
    run_id = uuid4()
    owner.execute(
        "insert into public.job_runs (id, job, status, finished_at, errors, failures)"
        " values (%s, 'certification_expiry', 'succeeded', now(), 2, %s)",
        (run_id, failures),
    )
    seen = await (await pages.as_(town.dag)).open(f"/checks/{run_id}")
    assert kari.display_name in seen.text
    assert town.greta.display_name not in seen.answer.text


async def test_admins_are_told_what_the_watchdog_found(pages: Pages, town: World, owner: Session) -> None:
    owner.execute("delete from public.job_runs where chapter_ids is null")
    seen = await (await pages.as_(town.dag)).open("/checks")
    assert "Last night's check did not come" in seen.text
    assert "Is all well?" not in (await (await pages.as_(town.bo)).open("/checks")).text


async def test_a_server_that_stops_closes_its_runs_and_leaves_the_rest_to_the_next(
    module_database: Database, town: World, owner: Session, kari: Mentor
) -> None:
    bo = Claims(town.bo.user_id)
    rung: list[None] = []
    async with Sessions(url=module_database.url, size=2) as sessions:
        job = CertificationExpiryJob(sessions=sessions)

        def by_hand(patience: float) -> ChecksByHand:
            return ChecksByHand(
                sessions=sessions, job=job, wake_outbox=lambda: rung.append(None), patience=patience
            )

        with owner.transaction(), capture_logs():
            owner.execute("lock table public.peer_mentors in access exclusive mode")  # no batch gets past it
            stopped = by_hand(patience=0)
            run_id = await stopped.start(bo, None)
            assert run_id is not None
            await stopped.close()
        assert state(owner, run_id) == "failed"
        patient = by_hand(patience=60)
        assert await patient.start(bo, None) is not None
        with capture_logs():
            await patient.close()
    assert status_of(owner, kari) == "paused"
    assert len(rung) == 2


async def finished(browser: Browser, seen: Page) -> Page:
    """The page of a run, once it is over."""
    assert seen.answer.url.path.startswith("/checks/"), seen.text
    for _ in range(200):
        if "data-live-every" not in seen.answer.text:
            return seen
        seen = await browser.open(seen.answer.url.path)
    raise AssertionError("the run never ended")


def state(owner: Session, run_id: UUID) -> str:
    row = owner.execute("select status from public.job_runs where id = %s", (run_id,)).fetchone()
    assert row is not None
    return str(row["status"])
