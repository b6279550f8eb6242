"""Reminders: each once, to the right people, cancelled by what overtakes them, on the organisation's calendar."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from peerpause.database.session import Service, Sessions
from peerpause.notifications.due import DeliveryBook
from peerpause.notifications.outbox import Outbox
from tests.cast import Mentor, World, add_device, add_mentor, set_status
from tests.certifications.time_travel import Owner, certify, set_clock
from tests.database.acting import (
    count,
    deactivate,
    mentor_row,
    owner_session,
    pause,
    person_session,
    reactivate,
    status_of,
)
from tests.servers import Database

OSLO = ZoneInfo("Europe/Oslo")
TODAY = date(2026, 11, 20)


def noon(day: date) -> datetime:
    """Noon of a day in Oslo."""
    return datetime.combine(day, time(12), OSLO)


def made(owner: Owner, event: str | None = None, audience: str | None = None) -> list[dict[str, Any]]:
    """The notices there are, oldest first."""
    rows = owner.execute("select * from public.mentor_notices order by id").fetchall()
    return [row for row in rows if event in {None, row["event"]} and audience in {None, row["audience"]}]


def remind(owner: Owner, moment: datetime | None = None) -> dict[str, Any]:
    """Make what is due at this moment."""
    if moment is not None:
        set_clock(owner, moment)
    (row,) = owner.execute("select peerpause.make_reminders() as report").fetchall()
    report: dict[str, Any] = row["report"]
    return report


def paused_until(owner: Owner, mentor: Mentor, expected_return_on: date, *, since: datetime) -> None:
    """Pause a mentor as of an earlier moment."""
    set_status(owner, mentor, "paused", reason="travel")
    owner.execute(
        "update public.peer_mentors set expected_return_on = %s, pause_at = %s where id = %s",
        (expected_return_on, since, mentor.mentor_id),
    )


def test_a_mentor_is_reminded_at_each_threshold_once(world: World, owner: Owner) -> None:
    certify(owner, world.ada, TODAY + timedelta(days=70))
    days = []
    for day in range(75):
        for _ in range(2):
            before = len(made(owner, audience="mentor"))
            remind(owner, noon(TODAY + timedelta(days=day)))
            days += [70 - day] * (len(made(owner, audience="mentor")) - before)
    assert days == [60, 30, 7]


def test_thresholds_are_the_organisations_own(world: World, owner: Owner) -> None:
    owner.execute("update public.organisations set reminder_days = '{14}'")
    certify(owner, world.ada, TODAY + timedelta(days=30))
    remind(owner, noon(TODAY))
    assert made(owner, audience="mentor") == []
    remind(owner, noon(TODAY + timedelta(days=20)))
    (notice,) = made(owner, audience="mentor")
    assert notice["due_on"] == TODAY + timedelta(days=16)


def test_a_late_start_reminds_of_the_nearest_only(world: World, owner: Owner) -> None:
    certify(owner, world.ada, TODAY + timedelta(days=5))
    remind(owner, noon(TODAY))
    assert [row["due_on"] for row in made(owner, audience="mentor")] == [TODAY - timedelta(days=2)]


def test_only_the_latest_certificate_of_a_required_kind_reminds(world: World, owner: Owner) -> None:
    certify(owner, world.ada, TODAY + timedelta(days=5))
    certify(owner, world.ada, TODAY + timedelta(days=500))
    certify(owner, world.finn, TODAY + timedelta(days=5), "swimming")
    certify(owner, world.greta, TODAY + timedelta(days=5))
    remind(owner, noon(TODAY))
    assert made(owner) == []


async def test_a_renewal_cancels_what_has_not_gone_out(
    database: Database, sessions: Sessions, world: World, owner: Owner
) -> None:
    add_device(owner, world.ada, "phone-1")
    certify(owner, world.ada, TODAY + timedelta(days=5))
    certify(owner, world.finn, TODAY + timedelta(days=5))
    remind(owner, noon(TODAY))
    await Outbox(sessions=sessions).tell_changes()
    pending = "select count(*) from public.notification_deliveries where state = 'pending' and event = 'certification_expiring'"
    assert count(owner, pending + " and recipient_id = %s", world.ada.user_id) >= 1
    with person_session(database, world.bo) as bo:
        bo.execute("select public.record_renewal(%s, %s, null)", (world.ada.mentor_id, TODAY))
    assert count(owner, pending + " and recipient_id = %s", world.ada.user_id) == 0
    assert count(owner, pending + " and recipient_id = %s", world.finn.user_id) >= 1


async def test_a_renewal_by_another_path_cancels_before_anybody_is_told(
    sessions: Sessions, world: World, owner: Owner
) -> None:
    certify(owner, world.ada, TODAY + timedelta(days=5))
    remind(owner, noon(TODAY))
    certify(owner, world.ada, TODAY + timedelta(days=500))
    await Outbox(sessions=sessions).tell_changes()
    assert all(row["cancelled_at"] and not row["told_at"] for row in made(owner))
    assert (
        count(owner, "select count(*) from public.notifications where event = 'certification_expiring'") == 0
    )


async def test_the_mentor_alone_hears_of_the_threshold_and_the_coordinators_get_a_list_a_month(
    sessions: Sessions, world: World, owner: Owner
) -> None:
    zoe = add_mentor(owner, "Zoe", chapters=[world.north])
    for mentor in (world.ada, world.finn, zoe):
        certify(owner, mentor, TODAY + timedelta(days=7))
    for day in range(3):
        remind(owner, noon(TODAY + timedelta(days=day)))
    await Outbox(sessions=sessions).tell_changes()
    told = owner.execute(
        "select recipient_id, count(*) as entries from public.notifications"
        " where event = 'certification_expiring' group by recipient_id"
    ).fetchall()
    assert {row["recipient_id"]: row["entries"] for row in told} == {
        world.ada.user_id: 1,
        world.finn.user_id: 1,
        zoe.user_id: 1,
        world.bo.user_id: 3,  # Ada, Finn and Zoe
        world.cy.user_id: 1,  # Finn
    }
    lists = owner.execute(
        "select recipient_id, count(distinct job_run_id) as pushes from public.notification_deliveries"
        " where not about_self and channel = 'push' group by recipient_id"
    ).fetchall()
    assert {row["recipient_id"]: row["pushes"] for row in lists} == {world.bo.user_id: 1, world.cy.user_id: 1}


def test_the_list_comes_once_a_month_even_if_it_was_empty(world: World, owner: Owner) -> None:
    remind(owner, noon(date(2026, 12, 1)))
    certify(owner, world.ada, date(2027, 1, 10))
    remind(owner, noon(date(2026, 12, 15)))
    assert made(owner, audience="coordinators") == []
    remind(owner, noon(date(2027, 1, 2)))
    assert len(made(owner, audience="coordinators")) == 1


async def test_a_push_waits_for_the_morning(sessions: Sessions, world: World, owner: Owner) -> None:
    """Nobody's phone rings at night for a reminder; the server's own clock decides, so both sides of the night are looked at."""
    add_device(owner, world.ada, "phone-1")
    certify(owner, world.ada, TODAY + timedelta(days=5))
    remind(owner, noon(TODAY))
    await Outbox(sessions=sessions).tell_changes()
    (row,) = owner.execute(
        "select (not_before at time zone 'Europe/Oslo')::time as at from public.notification_deliveries"
        " where recipient_id = %s and channel = 'push'",
        (world.ada.user_id,),
    ).fetchall()
    assert time(8) <= row["at"] < time(21, 20)


async def test_a_reminder_can_be_sent(sessions: Sessions, world: World, owner: Owner) -> None:
    add_device(owner, world.ada, "phone-1")
    certify(owner, world.ada, TODAY + timedelta(days=5))
    remind(owner, noon(TODAY))
    await Outbox(sessions=sessions).tell_changes()
    owner.execute("update public.notification_deliveries set not_before = now() - interval '1 second'")
    book = DeliveryBook(sessions=sessions)
    taken = [due for due in await book.take("push", at_most=10) if due.recipient_id == world.ada.user_id]
    assert [due.payload.event for due in taken] == ["certification_expiring"]
    assert taken[0].payload.certification_expires_on == TODAY + timedelta(days=5)


def test_a_paused_mentor_is_reminded_before_the_return_and_both_sides_after_it(
    world: World, owner: Owner
) -> None:
    back_on = TODAY + timedelta(days=10)
    paused_until(owner, world.ada, back_on, since=noon(TODAY))
    seen = []
    for day in range(14):
        before = len(made(owner))
        remind(owner, noon(TODAY + timedelta(days=day)))
        seen += [(10 - day, row["event"], row["audience"]) for row in made(owner)[before:]]
    assert seen == [
        (7, "return_near", "mentor"),
        (2, "return_near", "mentor"),
        (0, "return_near", "mentor"),
        (-1, "return_passed", "both"),
    ]


def test_a_short_pause_is_not_followed_by_a_reminder_at_once(world: World, owner: Owner) -> None:
    paused_until(owner, world.ada, TODAY + timedelta(days=3), since=noon(TODAY))
    remind(owner, noon(TODAY))
    assert made(owner) == []


async def test_who_came_back_is_not_reminded_of_the_return(
    database: Database, sessions: Sessions, world: World, owner: Owner
) -> None:
    paused_until(owner, world.ada, TODAY - timedelta(days=1), since=noon(TODAY - timedelta(days=20)))
    remind(owner, noon(TODAY))
    with person_session(database, world.ada) as ada:
        reactivate(ada, world.ada)
    await Outbox(sessions=sessions).tell_changes()
    assert count(owner, "select count(*) from public.notifications where event = 'return_passed'") == 0


@pytest.mark.parametrize(
    "change_of_clocks",
    [date(2026, 3, 29), date(2026, 10, 25)],
    ids=["spring", "autumn"],
)
def test_days_are_counted_on_the_calendar_also_when_the_clocks_change(
    world: World, owner: Owner, change_of_clocks: date
) -> None:
    back_on = change_of_clocks + timedelta(days=1)
    paused_until(owner, world.ada, back_on, since=noon(back_on - timedelta(days=20)))
    certify(owner, world.finn, change_of_clocks + timedelta(days=7))
    midnight = datetime.combine(
        change_of_clocks - timedelta(days=1), time(0), OSLO
    )  # two days before the return
    remind(owner, midnight - timedelta(seconds=1))
    early = Counter(row["event"] for row in made(owner, audience="mentor"))
    remind(owner, midnight)
    remind(owner, datetime.combine(change_of_clocks, time(0), OSLO) - timedelta(seconds=1))
    before = Counter(row["event"] for row in made(owner, audience="mentor"))
    remind(owner, datetime.combine(change_of_clocks, time(23, 59, 59), OSLO))
    after = Counter(row["event"] for row in made(owner, audience="mentor"))
    assert early["return_near"] == 1  # a week before
    assert before["return_near"] == 2
    assert (before["certification_expiring"], after["certification_expiring"]) == (1, 2)


@pytest.mark.parametrize("month", [3, 10], ids=["spring", "autumn"])
def test_the_day_of_the_return_begins_at_local_midnight(world: World, owner: Owner, month: int) -> None:
    owner.execute("update public.organisations set auto_return = true")
    change = date(2026, month, 29 if month == 3 else 25)
    paused_until(owner, world.ada, change, since=noon(change - timedelta(days=9)))
    midnight = datetime.combine(change, time(0), OSLO)
    assert remind(owner, midnight - timedelta(seconds=1))["returned"] == 0
    assert remind(owner, midnight)["returned"] == 1
    assert status_of(owner, world.ada) == "active"


def test_a_pause_ends_by_itself_where_the_organisation_chose_that(world: World, owner: Owner) -> None:
    owner.execute(
        "update public.organisations set auto_return = true where id = %s", (world.organisation_id,)
    )
    for mentor in (world.ada, world.greta):
        paused_until(owner, mentor, TODAY, since=noon(TODAY - timedelta(days=9)))
    assert remind(owner, noon(TODAY))["returned"] == 1
    assert (status_of(owner, world.ada), status_of(owner, world.greta)) == ("active", "paused")
    last = owner.execute(
        "select reason, changed_by from public.peer_mentor_status_history where mentor_id = %s order by changed_at desc limit 1",
        (world.ada.mentor_id,),
    ).fetchone()
    assert last == {"reason": "return_date_reached", "changed_by": None}


def test_nobody_returns_past_an_expired_certificate(world: World, owner: Owner) -> None:
    owner.execute("update public.organisations set auto_return = true")
    certify(owner, world.ada, TODAY - timedelta(days=1))
    paused_until(owner, world.ada, TODAY, since=noon(TODAY - timedelta(days=9)))
    assert remind(owner, noon(TODAY))["returned"] == 0
    assert mentor_row(owner, world.ada)["status"] == "paused"


async def test_both_sides_hear_of_a_planned_pause_the_day_before(
    database: Database, sessions: Sessions, world: World, owner: Owner
) -> None:
    now = datetime.now(UTC)
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada, p_pause_at=now + timedelta(days=3))
        pause_soon = now + timedelta(hours=20)
    with person_session(database, world.finn) as finn:
        pause(finn, world.finn, p_pause_at=pause_soon)
    remind(owner, now)
    assert made(owner, "pause_about_to_start") == []
    remind(owner, now + timedelta(days=2, hours=1))
    remind(owner, now + timedelta(days=2, hours=2))
    (notice,) = made(owner, "pause_about_to_start")
    assert (notice["mentor_id"], notice["audience"]) == (world.ada.mentor_id, "both")
    await Outbox(sessions=sessions).tell_changes()
    told = owner.execute(
        "select recipient_id from public.notifications where event = 'pause_about_to_start'"
    ).fetchall()
    assert {row["recipient_id"] for row in told} == {world.ada.user_id, world.bo.user_id}


async def test_the_coordinators_hear_of_a_planned_pause_that_could_not_begin(
    database: Database, sessions: Sessions, world: World, owner: Owner
) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada, p_pause_at=datetime.now(UTC) + timedelta(days=3))
        deactivate(ada, world.ada)
    owner.execute("update public.scheduled_status_changes set effective_at = now() - interval '1 minute'")
    (row,) = await sessions.call(Service(), "apply_scheduled_changes", {"limit": 10})
    assert row["skipped"] == 1
    await Outbox(sessions=sessions).tell_changes()
    told = owner.execute(
        "select recipient_id, payload from public.notifications where event = 'planned_pause_skipped'"
    ).fetchall()
    assert [row["recipient_id"] for row in told] == [world.bo.user_id]
    assert told[0]["payload"]["new_status"] == "inactive"


def test_two_at_once_make_each_notice_once(database: Database, world: World, owner: Owner) -> None:
    certify(owner, world.ada, TODAY + timedelta(days=5))
    set_clock(owner, noon(TODAY))
    with owner.transaction():
        assert remind(owner)["made"] == 2
        with owner_session(database) as second:
            assert remind(second)["status"] == "already_running"
    assert len(made(owner, audience="mentor")) == 1


def test_thresholds_that_are_no_days_are_refused(world: World, owner: Owner) -> None:
    for days in ("{-1}", "{400}", "{7,null}"):
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute("update public.organisations set reminder_days = %s", (days,))
