"""What the tests of privacy share: the cast with a past, and the services that handle their data."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta

import psycopg
import pytest

from peerpause.database.session import Sessions
from peerpause.privacy.personal_data import PersonalData
from tests.audit.recording import tell
from tests.cast import World, add_certificate, add_device, build_world, require_certificate
from tests.database.acting import call, pause, person_session, reactivate
from tests.servers import Database

NOTE = "zebrafish in hospital"
TOKEN = "zebrafish-token-of-adas-phone"
CONTACT = "zebrafish@example.org"


@pytest.fixture
async def world(database: Database) -> World:
    """The cast, and a past in every table that can hold something of Ada or Bo. All of it has been told."""
    world = build_world(database.url)
    await live(database, world)
    return world


@pytest.fixture
def server_copy(database: Database, world: World) -> Iterator[Database]:
    """A copy of the database as it is now: the backup. To be asked for before anything that stays connected."""
    with database.server.new_database(template=database.name) as copy:
        yield copy


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    async with Sessions(url=database.url, size=2) as opened:
        yield opened


@pytest.fixture
def data(sessions: Sessions) -> PersonalData:
    return PersonalData(sessions=sessions)


async def live(database: Database, world: World) -> None:
    """Let Ada and Bo do everything that leaves a trace."""
    today = date.today()
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        for mentor in (world.ada, world.finn):
            add_certificate(
                connection, mentor, issued_on=today - timedelta(days=9), expires_on=today + timedelta(days=9)
            )
        add_device(connection, world.ada, TOKEN)
        add_device(connection, world.bo, "wildebeest-token-of-bos-phone")
        for person in (world.ada, world.bo):
            connection.execute(
                "insert into peerpause.web_sessions (digest, user_id, csrf, expires_at)"
                " values (sha256(%s), %s, 'x', now() + interval '1 hour')",
                (person.first_name.encode(), person.user_id),
            )
            connection.execute(
                "insert into peerpause.sign_in_identities (issuer, subject, user_id, linked_by)"
                " values ('https://login.example.org', %s, %s, 'hand')",
                (f"known-as-{person.first_name}", person.user_id),
            )
        # What Bo was answered over HTTP, for a day.
        connection.execute(
            "insert into public.idempotency_keys (caller, key, request, fingerprint, response) values (%s, 'http', 'POST /x', 'x', %s)",
            (world.bo.user_id, json.dumps({"body": {"mentor_id": str(world.ada.mentor_id), "note": NOTE}})),
        )
        connection.execute(
            "update public.peer_mentors set external_id = 'zebrafish-1001' where id = %s",
            (world.ada.mentor_id,),
        )
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada, p_note=NOTE, p_idempotency_key="a key")
        reactivate(ada, world.ada)
        pause(ada, world.ada, p_pause_at="2099-01-01", p_note=NOTE)
        call(
            ada, "update_public_profile", p_mentor_id=world.ada.mentor_id, p_listed=True, p_languages=["nb"],
            p_presentation="I am zebrafish", p_public_contact=CONTACT,
        )  # fmt: skip
    with person_session(database, world.bo) as bo:
        pause(bo, world.finn, "travel", p_note="to the sea")
        pause(bo, world.ada, p_note=NOTE)
        call(
            bo, "record_renewal", p_mentor_id=world.ada.mentor_id, p_issued_at=today,
            p_expires_at=today + timedelta(days=300), p_note=NOTE, p_idempotency_key="another key",
        )  # fmt: skip
        call(bo, "run_certification_expiry", p_chapter_ids=[world.north.chapter_id])
    with person_session(database, world.dag) as dag:
        call(
            dag, "grant_certification_override", p_mentor_id=world.ada.mentor_id,
            p_justification="zebrafish has to wait for the course", p_valid_until=today + timedelta(days=7),
        )  # fmt: skip
        call(
            dag,
            "create_webhook_endpoint",
            p_organisation_id=world.organisation_id,
            p_url="https://example.org/hook",
        )
    await tell(database)


def texts_in(value: object) -> str:
    """A value as JSON text, to look for words in."""
    return json.dumps(value, default=str).lower()
