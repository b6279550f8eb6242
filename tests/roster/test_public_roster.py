"""A chapter's roster is right at the moment it is read, whoever reads it, and shows nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest

from peerpause.database.session import Sessions
from peerpause.roster.roster import PublicRoster
from tests.cast import World, add_certificate, add_mentor, require_certificate, set_status
from tests.certifications.time_travel import LONG_AGO, set_clock
from tests.database.acting import NOT_YOURS, Session, call, pause, person_session, refused, visitor_session
from tests.database.wiretap import tapped
from tests.roster.seen import certify_until, listed, opt_out
from tests.servers import Database

# Midnight in Oslo, where the last day of Ada's certificate ends.
LAST_DAY = date(2026, 6, 30)
END = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)


def test_a_visitor_sees_the_active_mentors_of_a_chapter(database: Database, world: World) -> None:
    with visitor_session(database) as visitor:
        assert listed(visitor, world.north) == ["Ada Hansen", "Finn Hansen"]
        assert listed(visitor, world.south) == ["Finn Hansen"]


def test_a_paused_mentor_is_gone_with_the_pause_itself(database: Database, world: World) -> None:
    with person_session(database, world.ada) as ada, visitor_session(database) as visitor:
        pause(ada, world.ada)
        assert listed(visitor, world.north) == ["Finn Hansen"]


def test_an_inactive_mentor_is_gone(database: Database, world: World, owner: Session) -> None:
    with owner.transaction():
        set_status(owner, world.ada, "inactive", reason="resigned")
    with visitor_session(database) as visitor:
        assert listed(visitor, world.north) == ["Finn Hansen"]


def test_a_mentor_who_wants_to_be_left_out_is_left_out(database: Database, world: World) -> None:
    with person_session(database, world.finn) as finn, visitor_session(database) as visitor:
        opt_out(finn, world.finn)
        assert listed(visitor, world.north) == ["Ada Hansen"]
        assert listed(visitor, world.south) == []


def test_a_mentor_without_the_required_certificate_was_never_there(
    database: Database, world: World, owner: Session
) -> None:
    require_certificate(owner, world.organisation_id)
    with visitor_session(database) as visitor:
        assert listed(visitor, world.north) == []


@pytest.mark.parametrize(
    ("moment", "is_there"),
    [(END - timedelta(seconds=1), True), (END, False), (END + timedelta(days=300), False)],
    ids=["last second", "midnight", "much later"],
)
def test_a_lapsed_mentor_is_gone_at_the_very_second_and_no_job_has_run(
    database: Database, world: World, owner: Session, moment: datetime, is_there: bool
) -> None:
    certify_until(owner, world.ada, LAST_DAY)
    set_clock(owner, moment)
    with visitor_session(database) as visitor:
        assert ("Ada Hansen" in listed(visitor, world.north)) is is_there


def test_an_override_lets_a_mentor_work_but_not_be_shown(
    database: Database, world: World, owner: Session
) -> None:
    certify_until(owner, world.ada, LAST_DAY)
    set_clock(owner, END)
    owner.execute(
        "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
        " values (%s, %s, 'the course was cancelled', '2026-12-31')",
        (world.organisation_id, world.ada.mentor_id),
    )
    with visitor_session(database) as visitor:
        assert "Ada Hansen" not in listed(visitor, world.north)


def test_a_visitor_learns_the_name_above_the_roster_and_nothing_else_of_the_chapter(
    database: Database, world: World, owner: Session
) -> None:
    owner.execute(
        "update public.organisations set role_word = 'hearing friend' where id = %s", (world.organisation_id,)
    )
    set_clock(owner, END - timedelta(seconds=90))
    with visitor_session(database) as visitor:
        assert call(visitor, "public_chapter", p_chapter_id=world.north.chapter_id) == [
            {"chapter_name": "north", "role_word": "hearing friend", "language": "nb", "day_ends_in": 90}
        ]
        assert call(visitor, "public_chapter", p_chapter_id=uuid4()) == []


@pytest.mark.parametrize(
    "table",
    [
        *("public.chapters", "public.organisations", "public.peer_mentors", "public.chapter_memberships"),
        *("public.webhook_endpoints", "public.webhook_deliveries", "peerpause.roster_watches"),
        *("peerpause.roster_published", "peerpause.inbound_secrets", "peerpause.inbound_messages"),
    ],
)
def test_the_tables_behind_it_are_closed_to_visitors_and_people(
    module_database: Database, shared_world: World, table: str
) -> None:
    with visitor_session(module_database) as visitor, refused(NOT_YOURS):
        visitor.execute(f"select * from {table}".encode())
    if table.startswith("peerpause."):
        with person_session(module_database, shared_world.dag) as dag, refused(NOT_YOURS):
            dag.execute(f"select * from {table}".encode())


async def test_an_empty_roster_is_not_an_unknown_chapter(
    sessions: Sessions, world: World, owner: Session
) -> None:
    require_certificate(owner, world.organisation_id)
    roster = PublicRoster(sessions=sessions)
    north = await roster.of_chapter(world.north.chapter_id)
    assert north is not None
    assert north.mentors == ()
    assert north.chapter_name == "north"
    assert await roster.of_chapter(uuid4()) is None


async def test_reading_takes_one_round_trip(world: World, database: Database) -> None:
    async with tapped(database.url) as tap, Sessions(url=tap.url, size=1) as sessions:
        roster = PublicRoster(sessions=sessions)
        await roster.of_chapter(world.north.chapter_id)
        tap.reset()
        await roster.of_chapter(world.north.chapter_id)
        assert tap.round_trips == 1


_KINDS = ("peer_mentor", "first_aid")
_STATES = ("none", "valid", "last day", "lapsed", "not yet", "without end")


def test_the_roster_says_of_certificates_what_the_rule_says(
    database: Database, world: World, owner: Session
) -> None:
    """The roster asks for a whole chapter at once; the rule (`is_certified`) for one mentor. They never differ."""
    set_clock(owner, END - timedelta(hours=1))
    for states in product(_STATES, repeat=len(_KINDS)):
        mentor = add_mentor(owner, "-".join(states), chapters=[world.south])
        for kind, state in zip(_KINDS, states, strict=True):
            if state != "none":
                issued, expires = _days(state)
                add_certificate(owner, mentor, issued_on=issued, expires_on=expires, kind=kind)
    for required in ([], ["peer_mentor"], [*_KINDS], ["peer_mentor", "peer_mentor"], ["unheard_of"], [None]):
        owner.execute(
            "update public.organisations set required_certification_kinds = %s where id = %s",
            (required, world.organisation_id),
        )
        by_the_rule = owner.execute(
            "select p.display_name from public.peer_mentors as p inner join public.chapter_memberships as m on m.mentor_id = p.id"
            " where m.chapter_id = %s and peerpause.is_certified(p.id, %s, %s) order by 1",
            (world.south.chapter_id, required, LAST_DAY),
        ).fetchall()
        assert listed(owner, world.south) == [row["display_name"] for row in by_the_rule], required
        assert bool(by_the_rule) == (required not in (["unheard_of"], [None]))


def _days(state: str) -> tuple[date, date | None]:
    one = timedelta(days=1)
    match state:
        case "valid":
            return LONG_AGO, LAST_DAY + one
        case "last day":
            return LONG_AGO, LAST_DAY
        case "lapsed":
            return LONG_AGO, LAST_DAY - one
        case "not yet":
            return LAST_DAY + one, LAST_DAY + one * 400
        case _:
            return LONG_AGO, None
