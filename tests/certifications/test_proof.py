"""The promise: nobody without a valid certificate is listed, even if no job ever runs; and the watchdog shouts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from peerpause.certifications.watchdog import CertificationWatchdog
from peerpause.database.session import Sessions
from tests.cast import Mentor, World, add_mentor
from tests.certifications.time_travel import Owner, certify, set_clock
from tests.database.acting import Session, call, status_of, visitor_session
from tests.servers import Database

OSLO = ZoneInfo("Europe/Oslo")
FIRST_DAY = date(2026, 11, 20)


def listed(visitor: Session, world: World) -> set[str]:
    """Everybody whom the public can read of, in any chapter and by any way that is open to visitors."""
    names = set()
    for chapter in (world.north, world.south, world.elsewhere):
        rows = call(visitor, "public_chapter_roster", p_chapter_id=chapter.chapter_id)
        names |= {str(row["mentor_id"]) for row in rows}
    return names


async def test_with_every_job_stopped_no_public_read_lists_a_lapsed_mentor_while_the_watchdog_shouts(
    database: Database, sessions: Sessions, world: World, owner: Owner
) -> None:
    last_days: dict[Mentor, date | None] = {}
    for number in range(8):
        mentor = add_mentor(owner, f"M{number}", chapters=[world.north, world.south])
        last_days[mentor] = None if number == 7 else FIRST_DAY + timedelta(days=number)
        certify(owner, mentor, last_days[mentor])
    watchdog = CertificationWatchdog(sessions=sessions)
    shouted = []
    with visitor_session(database) as visitor:
        for day in range(10):
            for at in (time(0, 0), time(3, 59), time(12, 0), time(23, 59, 59)):
                moment = datetime.combine(FIRST_DAY + timedelta(days=day), at, OSLO)
                set_clock(owner, moment)
                valid = {
                    str(mentor.mentor_id)
                    for mentor, last in last_days.items()
                    if last is None or last >= moment.date()
                }
                # Greta's organisation requires no certificate; Ada and Finn never had one.
                assert listed(visitor, world) == valid | {str(world.greta.mentor_id)}
            shouted.append("expired_but_active" in (await watchdog.look()).codes)
    # The first one lapses on the second day; from then on somebody active has no valid certificate.
    assert shouted == [False] + [True] * 9
    assert all(status_of(owner, mentor) == "active" for mentor in last_days)
    assert (await watchdog.watch()).answer["opened"]


def test_a_lapsed_mentor_is_gone_at_the_very_second(database: Database, world: World, owner: Owner) -> None:
    certify(owner, world.ada, FIRST_DAY)
    midnight = datetime.combine(FIRST_DAY + timedelta(days=1), time(0), OSLO)
    ada = str(world.ada.mentor_id)
    with visitor_session(database) as visitor:
        set_clock(owner, midnight - timedelta(microseconds=1))
        assert ada in listed(visitor, world)
        set_clock(owner, midnight)
        assert ada not in listed(visitor, world)


def test_an_override_lets_a_mentor_work_but_not_be_listed(
    database: Database, world: World, owner: Owner
) -> None:
    set_clock(owner, datetime(2026, 11, 20, 12, tzinfo=UTC))
    certify(owner, world.ada, FIRST_DAY - timedelta(days=1))
    owner.execute(
        "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
        " values (%s, %s, 'course booked for next week', %s)",
        (world.organisation_id, world.ada.mentor_id, FIRST_DAY + timedelta(days=7)),
    )
    with visitor_session(database) as visitor:
        assert str(world.ada.mentor_id) not in listed(visitor, world)
    assert status_of(owner, world.ada) == "active"
