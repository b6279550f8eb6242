"""From a history row to inbox entries and deliveries: everybody who must hear of a change, once each, and nobody else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import psycopg
import pytest
from structlog.testing import capture_logs

from peerpause.database.session import Sessions
from peerpause.notifications.outbox import FanOut, Outbox
from peerpause.notifications.payload import NotificationPayload, event_for_change
from peerpause.notifications.recipients import Device, resolve_coordinators_for_mentor
from tests.cast import (
    Mentor,
    Person,
    World,
    add_chapter,
    add_coordinator,
    add_device,
    add_mentor,
    add_organisation,
    make_admin,
    set_status,
)
from tests.database.acting import (
    NOT_A_MOVE,
    NOT_YOURS,
    Session,
    count,
    deactivate,
    owner_session,
    pause,
    person_session,
    reactivate,
    refused,
    update_status,
)
from tests.notifications.pipeline import deliveries, inbox_of, told
from tests.servers import Database


@pytest.fixture
def outbox(sessions: Sessions, world: World) -> Outbox:
    return Outbox(sessions=sessions)


def paused_by(database: Database, person: Person, mentor: Mentor, reason: str = "illness") -> None:
    with person_session(database, person) as session:
        pause(session, mentor, reason)


# Who is told


async def test_a_mentors_own_pause_is_told_to_the_coordinator_and_nobody_else(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    paused_by(database, world.ada, world.ada)
    await outbox.tell_changes()
    assert told(owner) == {world.bo.user_id}


async def test_a_mentor_of_two_chapters_is_told_to_the_coordinators_of_both(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    paused_by(database, world.finn, world.finn)
    await outbox.tell_changes()
    assert told(owner) == {world.bo.user_id, world.cy.user_id}


async def test_who_coordinates_both_chapters_is_told_once(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    both = add_coordinator(owner, "Ida", chapters=[world.north, world.south])
    paused_by(database, world.finn, world.finn)
    await outbox.tell_changes()
    assert len(inbox_of(owner, both.user_id)) == 1
    assert [row["recipient_id"] for row in deliveries(owner)].count(both.user_id) == 1


async def test_who_acted_is_never_told_but_the_mentor_is(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    paused_by(database, world.bo, world.ada, "coordinator_pause")
    await outbox.tell_changes()
    assert told(owner) == {world.ada.user_id}
    assert inbox_of(owner, world.ada.user_id)[0]["about_self"]


async def test_what_the_system_did_is_told_to_mentor_and_coordinator(
    world: World, owner: Session, outbox: Outbox
) -> None:
    set_status(owner, world.ada, "paused", reason="travel")
    await outbox.tell_changes()
    assert told(owner) == {world.ada.user_id, world.bo.user_id}


async def test_a_mentor_who_coordinates_the_own_chapter_is_told_once_as_the_mentor(
    world: World, owner: Session, outbox: Outbox
) -> None:
    owner.execute(
        "insert into public.coordinator_roles (organisation_id, chapter_id, user_id) values (%s, %s, %s)",
        (world.organisation_id, world.north.chapter_id, world.ada.user_id),
    )
    set_status(owner, world.ada, "paused", reason="travel")
    await outbox.tell_changes()
    (entry,) = inbox_of(owner, world.ada.user_id)
    assert entry["about_self"]
    assert len(deliveries(owner)) == 2


async def test_a_removed_coordinator_is_not_told(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    gone = add_coordinator(owner, "Jo", chapters=[world.north], active=False)
    paused_by(database, world.ada, world.ada)
    await outbox.tell_changes()
    assert gone.user_id not in told(owner)


async def test_without_a_coordinator_the_admins_are_told_and_it_is_warned(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    owner.execute("update public.coordinator_roles set active = false")
    paused_by(database, world.ada, world.ada)
    with capture_logs() as logs:
        fan_out = await outbox.tell_changes()
    assert told(owner) == {world.dag.user_id}
    assert fan_out.without_coordinator == (world.ada.mentor_id,)
    assert logs == [
        {
            "event": "recipients.no_coordinator",
            "log_level": "warning",
            "mentor_id": str(world.ada.mentor_id),
            "told": "admins",
        }
    ]


async def test_with_nobody_at_all_it_is_warned_and_the_change_is_told(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    owner.execute("update public.coordinator_roles set active = false")
    owner.execute("update public.organisation_admins set active = false")
    paused_by(database, world.ada, world.ada)
    with capture_logs() as logs:
        fan_out = await outbox.tell_changes()
    assert (told(owner), fan_out.inbox, fan_out.without_anyone) == (set(), 0, (world.ada.mentor_id,))
    assert [each["told"] for each in logs] == ["nobody"]
    assert untold(owner) == 0


async def test_another_organisations_coordinators_hear_nothing(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    paused_by(database, world.ada, world.ada)
    await outbox.tell_changes()
    assert world.eva.user_id not in told(owner)


async def test_the_library_names_the_same_people_with_their_devices(
    world: World, owner: Session, sessions: Sessions
) -> None:
    add_device(owner, world.cy, "cy-old")
    add_device(owner, world.cy, "cy-new")
    add_device(owner, world.cy, "cy-retired")
    owner.execute("update public.device_tokens set retired_at = now() where token = 'cy-retired'")
    owner.execute(
        "update public.device_tokens set last_seen_at = now() - interval '1 day' where token = 'cy-old'"
    )
    owner.execute("update public.people set push_enabled = false where user_id = %s", (world.bo.user_id,))
    found = {
        each.user_id: each for each in await resolve_coordinators_for_mentor(sessions, world.finn.mentor_id)
    }
    assert found.keys() == {world.bo.user_id, world.cy.user_id}
    assert found[world.cy.user_id].devices == (Device("cy-new", "token"), Device("cy-old", "token"))
    assert not found[world.bo.user_id].push_enabled
    assert not any(each.is_fallback for each in found.values())


async def test_the_library_answers_nobody_for_a_mentor_who_does_not_exist(
    world: World, sessions: Sessions
) -> None:
    assert await resolve_coordinators_for_mentor(sessions, world.stranger_id) == ()


# What is told


async def test_a_new_mentor_tells_nobody(world: World, owner: Session, outbox: Outbox) -> None:
    fan_out = await outbox.tell_changes()
    assert (fan_out.changes, fan_out.inbox, fan_out.deliveries) == (3, 0, 0)
    assert untold(owner) == 0


async def test_resigning_while_paused_is_told_once_and_as_the_resignation(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    with person_session(database, world.ada) as session:
        pause(session, world.ada)
        await outbox.tell_changes()
        deactivate(session, world.ada)
    await outbox.tell_changes()
    assert [row["event"] for row in inbox_of(owner, world.bo.user_id)] == [
        "mentor_paused",
        "mentor_deactivated",
    ]


async def test_a_failed_change_tells_nobody(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    await outbox.tell_changes()
    with person_session(database, world.cy) as session, refused(NOT_YOURS):
        update_status(session, world.ada, "paused", world.cy, "illness")
    with person_session(database, world.ada) as session:
        with refused(NOT_A_MOVE):
            reactivate(session, world.ada)
        with session.transaction(force_rollback=True):
            pause(session, world.ada)
    assert await outbox.tell_changes() == FanOut()
    assert told(owner) == set()


async def test_events_are_named_in_sql_as_in_python(world: World, owner: Session, outbox: Outbox) -> None:
    """Every legal move with every reason that could sway the name."""
    reasons = ["illness", "certification_expired", "certification_renewed", "resigned", "resignation_step"]
    moves = [("active", "paused"), ("paused", "active"), ("active", "inactive")]
    changed_at = datetime.now(UTC)
    expected = []
    for previous, new in moves:
        for reason in reasons:
            changed_at += timedelta(seconds=1)
            owner.execute(
                "insert into public.peer_mentor_status_history"
                " (organisation_id, mentor_id, previous_status, new_status, changed_at, reason)"
                " values (%s, %s, %s, %s, %s, %s)",
                (world.organisation_id, world.ada.mentor_id, previous, new, changed_at, reason),
            )
            expected.append(event_for_change(previous, new, reason))
    await outbox.tell_changes()
    entries = inbox_of(owner, world.bo.user_id)
    assert [row["event"] for row in entries] == [event for event in expected if event is not None]
    for row in entries:
        assert NotificationPayload.from_json(row["payload"]).event == row["event"]


@pytest.mark.parametrize(
    ("display_name", "first_name"),
    [
        ("Ådne Ødegård", "Ådne"),
        ('Ann "Annie" O\'Hara \\ %s {name}', "Ann"),
        ("Li 李 😀", "Li"),
        ("Bjørg\nHansen", "Bjørg\t"),
        ("X", ""),
        ("  ", "Kari"),
        ("", ""),
        ("N" * 500, "N" * 500),
    ],
)
async def test_the_inbox_holds_what_the_payload_reads(
    database: Database,
    world: World,
    owner: Session,
    outbox: Outbox,
    display_name: str,
    first_name: str,
) -> None:
    owner.execute(
        "update public.peer_mentors set display_name = %s, first_name = %s where id = %s",
        (display_name, first_name, world.ada.mentor_id),
    )
    with person_session(database, world.ada) as session:
        pause(session, world.ada, "travel", p_expected_return_on="2099-07-01", p_note="A private note.")
    await outbox.tell_changes()
    (entry,) = inbox_of(owner, world.bo.user_id)
    payload = NotificationPayload.from_json(entry["payload"])
    assert payload.to_json() == entry["payload"]
    assert payload.first_name == first_name
    if display_name.strip():
        assert payload.display_name == display_name.strip(" ")
    assert (payload.previous_status, payload.new_status, payload.reason_code) == (
        "active",
        "paused",
        "travel",
    )
    assert (payload.actor_id, str(payload.expected_return_on)) == (world.ada.user_id, "2099-07-01")
    assert payload.deep_link == f"peerpause://mentors/{world.ada.mentor_id}"
    assert "private" not in str(entry["payload"])


async def test_links_lead_to_the_installation(
    database: Database, world: World, owner: Session, sessions: Sessions
) -> None:
    paused_by(database, world.ada, world.ada)
    await Outbox(sessions=sessions, public_url="https://pause.example.org").tell_changes()
    (entry,) = inbox_of(owner, world.bo.user_id)
    assert entry["payload"]["deep_link"] == f"https://pause.example.org/mentors/{world.ada.mentor_id}"


# By which ways


async def test_opting_out_of_pushes_keeps_the_inbox(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    owner.execute("update public.people set push_enabled = false where user_id = %s", (world.bo.user_id,))
    paused_by(database, world.ada, world.ada)
    await outbox.tell_changes()
    assert len(inbox_of(owner, world.bo.user_id)) == 1
    (push,) = deliveries(owner)
    assert (push["state"], push["outcome"]) == ("skipped", "opted_out")


async def test_mail_goes_to_those_without_a_device_and_those_who_prefer_it(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    with_device = add_coordinator(owner, "Ida", chapters=[world.north])
    prefers_mail = add_coordinator(owner, "Jo", chapters=[world.north])
    no_address = add_coordinator(owner, "Kim", chapters=[world.north])
    add_device(owner, with_device, "ida-phone")
    add_device(owner, prefers_mail, "jo-phone")
    owner.execute(
        "update public.people set email_preferred = true where user_id = %s", (prefers_mail.user_id,)
    )
    owner.execute("update public.people set email = null where user_id = %s", (no_address.user_id,))
    paused_by(database, world.ada, world.ada)
    await outbox.tell_changes()
    by_mail = {row["recipient_id"] for row in deliveries(owner, "email")}
    assert by_mail == {world.bo.user_id, prefers_mail.user_id}
    assert len(deliveries(owner)) == 4, "everybody has a push on the list all the same"


async def test_somebody_unknown_to_the_directory_is_told_too(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    owner.execute("delete from public.people where user_id = %s", (world.bo.user_id,))
    paused_by(database, world.ada, world.ada)
    await outbox.tell_changes()
    assert told(owner) == {world.bo.user_id}


# Quiet hours


async def test_quiet_hours_hold_back_the_push_but_not_the_inbox(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    owner.execute(
        "update public.people set quiet_from = (now() at time zone 'UTC' - interval '1 hour')::time,"
        " quiet_until = (now() at time zone 'UTC' + interval '2 hours')::time, time_zone = 'UTC' where user_id = %s",
        (world.bo.user_id,),
    )
    paused_by(database, world.ada, world.ada)
    await outbox.tell_changes()
    assert len(inbox_of(owner, world.bo.user_id)) == 1
    assert (
        count(
            owner,
            "select count(*) from public.notification_deliveries"
            " where channel = 'push' and not_before - now() between interval '119 minutes' and interval '2 hours'",
        )
        == 1
    )


@pytest.mark.parametrize(
    ("at", "quiet_from", "quiet_until", "zone", "expected"),
    [
        ("2026-06-01T21:30Z", "22:00", "07:00", "Europe/Oslo", "2026-06-02T05:00Z"),  # 23:30 there
        ("2026-06-01T19:30Z", "22:00", "07:00", "Europe/Oslo", "2026-06-01T19:30Z"),  # 21:30 there
        ("2026-06-02T04:59Z", "22:00", "07:00", "Europe/Oslo", "2026-06-02T05:00Z"),
        ("2026-06-02T05:00Z", "22:00", "07:00", "Europe/Oslo", "2026-06-02T05:00Z"),  # the end is not quiet
        ("2026-06-01T20:00Z", "22:00", "07:00", "Europe/Oslo", "2026-06-02T05:00Z"),  # the beginning is
        ("2026-06-01T11:00Z", "12:00", "14:00", "Europe/Oslo", "2026-06-01T12:00Z"),
        ("2026-06-01T11:00Z", "12:00", "12:00", "Europe/Oslo", "2026-06-01T11:00Z"),  # equal ends: none
        # The clocks go forward on 29 March 2026 and back on 25 October: the end is what the clock on the wall says.
        ("2026-03-28T22:00Z", "22:00", "07:00", "Europe/Oslo", "2026-03-29T05:00Z"),
        ("2026-10-24T21:00Z", "22:00", "07:00", "Europe/Oslo", "2026-10-25T06:00Z"),
        ("2026-03-29T00:30Z", "00:00", "02:30", "Europe/Oslo", "2026-03-29T01:30Z"),  # 02:30 does not exist
        (
            "2026-06-01T21:30Z",
            "22:00",
            "07:00",
            "Nowhere/Land",
            "2026-06-01T21:30Z",
        ),  # better told than never
    ],
)
def test_a_push_waits_for_the_end_of_the_quiet_hours_on_the_persons_own_clock(
    module_database: Database, at: str, quiet_from: str, quiet_until: str, zone: str, expected: str
) -> None:
    with owner_session(module_database) as session:
        row = session.execute(
            "select peerpause.after_quiet_hours(%s, %s, %s, %s) as moment",
            (
                datetime.fromisoformat(at),
                time.fromisoformat(quiet_from),
                time.fromisoformat(quiet_until),
                zone,
            ),
        ).fetchone()
    assert row is not None
    assert row["moment"] == datetime.fromisoformat(expected)


async def test_a_time_zone_nobody_knows_holds_up_nobody(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    owner.execute(
        "update public.people set quiet_from = '22:00', quiet_until = '07:00', time_zone = 'Nowhere/Land'"
    )
    paused_by(database, world.finn, world.finn)
    await outbox.tell_changes()
    assert told(owner) == {world.bo.user_id, world.cy.user_id}


def test_a_runs_pushes_keep_clear_of_the_quarters_of_an_hour(owner: Session) -> None:
    """Within two minutes of a quarter all the world sends, and Google asks to keep away."""
    rows = owner.execute(
        "select s.start, peerpause.bulk_moment(s.start, gen_random_uuid()) as moment"
        " from generate_series(timestamptz '2026-03-01 02:00:07Z', timestamptz '2026-03-01 03:00Z', '20 seconds') as s (start)"
        " cross join generate_series(1, 30)"
    ).fetchall()
    for row in rows:
        assert timedelta(seconds=10) <= row["moment"] - row["start"] <= timedelta(minutes=6)
        past = (row["moment"].minute * 60 + row["moment"].second) % 900
        assert 120 <= past <= 780


# Set-wise, together, and after a crash


async def test_a_batch_of_any_size_is_one_statement(
    database: Database, world: World, owner: Session, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    chapters = [add_chapter(owner, world.organisation_id, f"chapter {n}") for n in range(3)]
    mentors = [add_mentor(owner, f"M{n}", chapters=chapters) for n in range(40)]
    for number in range(5):
        add_coordinator(owner, f"C{number}", chapters=chapters)
    for mentor in mentors:
        set_status(owner, mentor, "paused", reason="travel")
    asked: list[str] = []
    original = Sessions.call_all

    async def counted(self: Sessions, caller: object, *steps: object) -> object:
        asked.extend(step.query for step in steps)  # type: ignore[attr-defined]  # each is a Step
        return await original(self, caller, *steps)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(Sessions, "call_all", counted)
    fan_out = await Outbox(sessions=sessions).tell_changes()
    assert len(asked) == len(set(asked)) <= 2
    assert fan_out.inbox == 40 * 6
    assert fan_out.changes == 43 + 40


async def test_it_takes_no_more_than_it_is_told_and_the_oldest_first(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    assert (await outbox.tell_changes()).changes == 3
    for status in ("paused", "active", "paused"):
        set_status(owner, world.ada, status, reason="travel")
    assert (await outbox.tell_changes(at_most=2)).changes == 2
    assert [row["event"] for row in inbox_of(owner, world.bo.user_id)] == [
        "mentor_paused",
        "mentor_reactivated",
    ]
    assert (await outbox.tell_changes()).changes == 1


async def test_only_the_change_asked_for_is_told(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    await outbox.tell_changes()
    set_status(owner, world.ada, "paused", reason="travel")
    set_status(owner, world.greta, "paused", reason="travel")
    history_id = latest_history_id(owner, world.ada)
    assert (await outbox.tell_changes(history_id=history_id)).changes == 1
    assert (await outbox.tell_changes(history_id=history_id)).changes == 0
    assert told(owner) == {world.ada.user_id, world.bo.user_id}


async def test_two_outboxes_side_by_side_tell_each_change_once(
    database: Database, world: World, owner: Session, sessions: Sessions
) -> None:
    mentors = [add_mentor(owner, f"M{n}", chapters=[world.north]) for n in range(60)]
    for mentor in mentors:
        set_status(owner, mentor, "paused", reason="travel")

    async def work() -> int:
        outbox, told_here = Outbox(sessions=sessions), 0
        while untold(owner):
            told_here += (await outbox.tell_changes(at_most=5)).changes
        return told_here

    shares = await asyncio.gather(*(work() for _ in range(4)))
    assert sum(shares) == 63 + 60
    assert len(inbox_of(owner, world.bo.user_id)) == 60
    assert count(owner, "select count(*) from public.notification_deliveries where channel = 'push'") == 120


async def test_a_crash_before_the_commit_leaves_the_change_untold(
    database: Database, world: World, owner: Session, outbox: Outbox, sessions: Sessions
) -> None:
    paused_by(database, world.ada, world.ada)
    with owner_session(database) as saboteur:
        saboteur.execute(
            "create function public.hang_up() returns trigger language plpgsql as"
            " $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$"
        )
        saboteur.execute(
            "create trigger hang_up after insert on public.notification_deliveries execute function public.hang_up()"
        )
        saboteur.execute("alter function public.hang_up() security definer")
    with pytest.raises(Exception, match="database"):
        await outbox.tell_changes()
    assert (untold(owner), told(owner), deliveries(owner)) == (4, set(), [])
    owner.execute("drop trigger hang_up on public.notification_deliveries")
    await outbox.tell_changes()
    assert (untold(owner), told(owner)) == (0, {world.bo.user_id})


async def test_telling_waits_for_nobody_who_holds_a_change(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    await outbox.tell_changes()
    set_status(owner, world.ada, "paused", reason="travel")
    set_status(owner, world.greta, "paused", reason="travel")
    with psycopg.connect(database.url) as other:
        other.execute(
            "select from public.peer_mentor_status_history where id = %s for update",
            (latest_history_id(owner, world.ada),),
        )
        assert (await outbox.tell_changes()).changes == 1
    assert (await outbox.tell_changes()).changes == 1


async def test_people_of_two_organisations_hear_of_each_separately(
    database: Database, world: World, owner: Session, outbox: Outbox
) -> None:
    third = add_organisation(owner, "Third Friends")
    chapter = add_chapter(owner, third, "far away")
    kim = add_mentor(owner, "Kim", chapters=[chapter])
    make_admin(owner, world.bo, third)
    set_status(owner, kim, "paused", reason="travel")
    await outbox.tell_changes()
    assert [row["organisation_id"] for row in inbox_of(owner, world.bo.user_id)] == [third]
    assert {row["organisation_id"] for row in deliveries(owner)} == {third}


def untold(owner: Session) -> int:
    return count(owner, "select count(*) from public.peer_mentor_status_history where told_at is null")


def latest_history_id(owner: Session, mentor: Mentor) -> UUID:
    row = owner.execute(
        "select id from public.peer_mentor_status_history where mentor_id = %s order by changed_at desc limit 1",
        (mentor.mentor_id,),
    ).fetchone()
    assert row is not None
    history_id: UUID = row["id"]
    return history_id
