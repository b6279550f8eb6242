"""What is not meant for people is closed to them: inner functions, tables that only functions write, columns beside the status."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import LiteralString

import pytest
from psycopg import sql

from tests.cast import World
from tests.database.acting import (
    NOT_YOURS,
    Session,
    moves,
    person_session,
    refused,
    service_session,
    visitor_session,
)
from tests.servers import Database

_LONG_AGO = date(2020, 1, 1)

_ANOTHER_ID = "5e0e7a0c-0f3b-4d8e-9a53-1f7a5c9be1d2"


@pytest.fixture
def shared_bo(module_database: Database, shared_world: World) -> Iterator[Session]:
    with person_session(module_database, shared_world.bo) as session:
        yield session


_INTERNALS: list[LiteralString] = [
    "select peerpause.change_status(%(mentor)s, 'paused', null, 'illness', null, null, null)",
    "select peerpause.schedule_pause(%(mentor)s, null, 'illness', null, now(), null, null)",
    "select peerpause.settle_schedule(%(mentor)s, null, 'cancelled')",
    "select peerpause.apply_scheduled_changes(10)",
    "select peerpause.keep_answer('key', '{}')",
    "select peerpause.first_answer('key', 'request', %(organisation)s, '[]')",
    "select peerpause.expire_batch(gen_random_uuid(), 10)",
    "select peerpause.lapsed_mentors(null, null, 10)",
    "select peerpause.finish_job_run(gen_random_uuid())",
    "select peerpause.begin_expiry_run(null)",
    "select peerpause.fail_job_run(gen_random_uuid(), 'x')",
    "select peerpause.pause_lapsed(gen_random_uuid(), array[%(mentor)s]::uuid[], '{}')",
    "select peerpause.blocking_lapse(%(mentor)s, %(organisation)s)",
    "select peerpause.certification_lapsed_on(%(mentor)s, '{peer_mentor}', current_date)",
    "select peerpause.is_certified(%(mentor)s, '{peer_mentor}', current_date)",
    "select peerpause.coordinators_of(array[%(mentor)s]::uuid[])",
    "select peerpause.authorise(%(mentor)s)",
    "select peerpause.caller_is_service()",
    "select peerpause.as_status(p) from public.peer_mentors as p",
]


@pytest.mark.parametrize("statement", _INTERNALS)
def test_the_inner_functions_are_closed_to_people(
    module_database: Database, shared_world: World, statement: LiteralString
) -> None:
    arguments = {"mentor": shared_world.greta.mentor_id, "organisation": shared_world.other_organisation_id}
    with person_session(module_database, shared_world.bo) as bo, refused(NOT_YOURS):
        bo.execute(statement, arguments)
    with visitor_session(module_database) as visitor, refused(NOT_YOURS):
        visitor.execute(statement, arguments)


def test_nobody_learns_of_the_certificate_of_a_mentor_who_is_not_theirs(
    shared_world: World, shared_bo: Session
) -> None:
    with refused(NOT_YOURS):
        shared_bo.execute("select peerpause.blocking_lapse_for_caller(%s)", (shared_world.greta.mentor_id,))


# What is called in a person's own name inside a statement of theirs: by policies, and by the guard of a plain update.
_CALLED_IN_PASSING = {
    *("my_chapters", "my_organisations", "my_mentors"),
    *(
        "guard_peer_mentor",
        "is_valid_transition",
        "refuse_transition",
        "refuse_reason",
        "refuse_system_reason",
    ),
    *(
        "reason_codes",
        "system_reason_codes",
        "require_return_date",
        "blocking_lapse_for_caller",
        "require_limit",
        "notes_of",
    ),
}
# What the HTTP API asks in a person's name, and no client by itself: each looks at its caller, a key is the caller's own.
_OF_THE_API = {"sort_chapter_mentors", "claim_key", "extend_claim", "settle_claim"}
# What pages ask: of a mentor only those who may change the mentor, of the roster each what row security shows them, of an
# organisation its admins.
_ASKED_BY_PAGES = {
    *(
        "contacts_of_mentor",
        "actors_of_mentor",
        "standing_of_mentor",
        "chapters_of_mentor",
        "address_of_mentor",
        "recorders_of_mentor",
    ),
    *("begin_expiry_run_by_hand", "starters_of_runs"),
    *("roster_page", "roster_counts", "clock", "today"),
    *("organisation_settings", "latest_settings_change", "change_organisation_settings"),
    *("give_coordinator_role", "take_coordinator_role"),
    *("list_people_of_organisation", "names_in_organisation", "retry_deliveries_of_organisation"),
}
# The work behind these public names is named without the prefix that clients know.
_RENAMED = {"pause_mentor", "reactivate_mentor", "deactivate_mentor", "cancel_scheduled_pause"}


def test_people_may_call_no_inner_function_but_the_work_behind_a_public_one(owner: Session) -> None:
    """A function that opens to people by mistake shows up here."""
    rows = owner.execute(
        "select p.proname from pg_proc as p where p.pronamespace = 'peerpause'::regnamespace"
        " and has_function_privilege('authenticated', p.oid, 'execute')"
        " and not exists (select from pg_proc as o where o.pronamespace = 'public'::regnamespace and o.proname = p.proname)"
    ).fetchall()
    assert {row["proname"] for row in rows} == _CALLED_IN_PASSING | _RENAMED | _OF_THE_API | _ASKED_BY_PAGES


@pytest.mark.parametrize(
    "column, value",
    [
        ("id", _ANOTHER_ID),
        ("organisation_id", _ANOTHER_ID),
        ("user_id", _ANOTHER_ID),
        ("display_name", "Somebody Else"),
        ("first_name", "Somebody"),
        ("external_id", "1"),
        ("listed", "false"),
        ("presentation", "x"),
        ("public_contact", "x"),
        ("predecessor_id", _ANOTHER_ID),
        ("reactivated_at", "2020-01-01"),
        ("updated_at", "2020-01-01"),
    ],
)
def test_a_coordinator_may_assign_the_status_and_its_facts_only(
    shared_world: World, shared_bo: Session, column: str, value: str
) -> None:
    with refused(NOT_YOURS):
        shared_bo.execute(
            sql.SQL("update public.peer_mentors set {} = %s where id = %s").format(sql.Identifier(column)),
            (value, shared_world.ada.mentor_id),
        )


_WRITES: list[LiteralString] = [
    "insert into public.peer_mentor_status_history (organisation_id, mentor_id, new_status, changed_at)"
    " values (%(organisation)s, %(mentor)s, 'active', now())",
    "update public.peer_mentor_status_history set told_at = now()",
    "delete from public.peer_mentor_status_history",
    "insert into public.notifications (organisation_id, recipient_id, mentor_id, history_id, event, payload)"
    " values (%(organisation)s, %(person)s, %(mentor)s, gen_random_uuid(), 'x', '{}')",
    "update public.notifications set payload = '{}'",
    "delete from public.notifications",
    "insert into public.certifications (organisation_id, mentor_id, issued_on) values (%(organisation)s, %(mentor)s, now())",
    "update public.certifications set expires_on = null",
    "delete from public.certifications",
    "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
    " values (%(organisation)s, %(mentor)s, 'because I say so', now())",
    "insert into public.coordinator_roles (organisation_id, chapter_id, user_id)"
    " values (%(organisation)s, %(chapter)s, %(person)s)",
    "update public.coordinator_roles set active = true",
    "insert into public.organisation_admins (organisation_id, user_id) values (%(organisation)s, %(person)s)",
    "insert into peerpause.global_admins (user_id) values (%(person)s)",
    "insert into public.chapter_memberships (organisation_id, chapter_id, mentor_id)"
    " values (%(organisation)s, %(chapter)s, %(mentor)s)",
    "insert into public.peer_mentors (organisation_id, user_id, display_name, first_name)"
    " values (%(organisation)s, %(person)s, 'x', 'x')",
    "delete from public.peer_mentors",
    "insert into public.scheduled_status_changes (organisation_id, mentor_id, effective_at, reason)"
    " values (%(organisation)s, %(mentor)s, now(), 'illness')",
    "update public.scheduled_status_changes set effective_at = now()",
    "insert into public.device_tokens (token, user_id, platform) values ('token-of-mine', %(person)s, 'web')",
    "update public.device_tokens set user_id = %(person)s",
    "insert into public.idempotency_keys (caller, key, organisation_id, request, fingerprint)"
    " values (%(person)s, 'k', %(organisation)s, 'r', 'f')",
    "insert into peerpause.request_allowances (scope, subject, remaining, counted_at) values ('changes', 'x', 9, now())",
    "select * from peerpause.request_allowances",
    "select peerpause.count_requests('changes', array['x'], array[-9], 9, true)",
    "select peerpause.forget_allowances()",
    "select * from peerpause.applied_migrations()",
    "insert into public.job_runs (job) values ('certification_expiry')",
    "insert into public.notification_deliveries (organisation_id, history_id, mentor_id, recipient_id, channel, event, changed_at)"
    " values (%(organisation)s, gen_random_uuid(), %(mentor)s, %(person)s, 'push', 'x', now())",
    "insert into public.webhook_endpoints (organisation_id, url, secret) values (%(organisation)s, 'https://x', 'x')",
    "select secret from public.webhook_endpoints",
    "update public.organisations set name = 'mine'",
    "update public.people set email = 'me@example.org'",
    "select * from peerpause.global_admins",
    "select * from peerpause.adopted_columns",
    "truncate public.peer_mentor_status_history",
    "truncate public.device_tokens",
    "insert into public.expected_return_changes (organisation_id, mentor_id, expected_return_on, changed_at)"
    " values (%(organisation)s, %(mentor)s, now(), now())",
    "update public.expected_return_changes set changed_by = null",
    "delete from public.expected_return_changes",
]


@pytest.mark.parametrize("statement", _WRITES)
def test_the_tables_behind_the_functions_are_closed_even_to_an_admin(
    module_database: Database, shared_world: World, statement: LiteralString
) -> None:
    arguments = {
        "organisation": shared_world.organisation_id,
        "mentor": shared_world.ada.mentor_id,
        "chapter": shared_world.north.chapter_id,
        "person": shared_world.dag.user_id,
    }
    with person_session(module_database, shared_world.dag) as dag, refused(NOT_YOURS):
        dag.execute(statement, arguments)
    with visitor_session(module_database) as visitor, refused(NOT_YOURS):
        visitor.execute(statement, arguments)


def test_the_service_role_cannot_rewrite_the_history(
    database: Database, world: World, owner: Session
) -> None:
    with service_session(database) as service:
        for statement in _HISTORY_EDITS:
            with refused(NOT_YOURS):
                service.execute(statement)
        service.execute("select set_config('peerpause.erasing', %s, false)", (str(world.ada.mentor_id),))
        for statement in _HISTORY_EDITS:
            with refused(NOT_YOURS):
                service.execute(statement)
    assert moves(owner, world.ada) == [(None, "active")]


_HISTORY_EDITS: list[LiteralString] = [
    "update public.peer_mentor_status_history set note = 'x'",
    "update public.peer_mentor_status_history set changed_by = null",
    "delete from public.peer_mentor_status_history",
    "truncate public.peer_mentor_status_history",
    "insert into public.peer_mentor_status_history (organisation_id, mentor_id, new_status, changed_at)"
    " select organisation_id, id, 'paused', now() from public.peer_mentors",
]
