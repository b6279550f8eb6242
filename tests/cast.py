"""The same few people in every test.

Two organisations. In the first: Ada, a mentor of chapter north; Bo, who coordinates north; Cy, who coordinates south; Dag, its
admin; Finn, a mentor of both chapters. In the other: Greta, a mentor, and Eva, who coordinates her chapter and administers the
organisation. Hal administers everything. `build_world` makes them; the smaller functions add what one test needs besides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import psycopg

_LAST_NAME = "Hansen"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in; `user_id` is the `sub` of their token."""

    user_id: UUID
    first_name: str

    @property
    def display_name(self) -> str:
        """The full name, which no push and no log line may hold."""
        return f"{self.first_name} {_LAST_NAME}"


@dataclass(frozen=True, slots=True)
class Mentor(Person):
    """A person with a row in `peer_mentors`."""

    mentor_id: UUID
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class Chapter:
    """A local chapter of an organisation."""

    chapter_id: UUID
    organisation_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class World:
    """Who is who in one database. `stranger_id` belongs to nobody and to no mentor."""

    organisation_id: UUID
    other_organisation_id: UUID
    north: Chapter
    south: Chapter
    elsewhere: Chapter
    ada: Mentor
    finn: Mentor
    greta: Mentor
    bo: Person
    cy: Person
    dag: Person
    eva: Person
    hal: Person
    stranger_id: UUID


def build_world(url: str) -> World:
    """Fill a migrated database; every mentor starts active. `url` is a login above row-level security."""
    with psycopg.connect(url) as connection:
        organisation_id = add_organisation(connection, "Hearing Friends")
        other_organisation_id = add_organisation(connection, "Other Friends")
        north = add_chapter(connection, organisation_id, "north")
        south = add_chapter(connection, organisation_id, "south")
        elsewhere = add_chapter(connection, other_organisation_id, "elsewhere")
        world = World(
            organisation_id=organisation_id,
            other_organisation_id=other_organisation_id,
            north=north,
            south=south,
            elsewhere=elsewhere,
            ada=add_mentor(connection, "Ada", chapters=[north]),
            finn=add_mentor(connection, "Finn", chapters=[north, south]),
            greta=add_mentor(connection, "Greta", chapters=[elsewhere]),
            bo=add_coordinator(connection, "Bo", chapters=[north]),
            cy=add_coordinator(connection, "Cy", chapters=[south]),
            dag=add_admin(connection, "Dag", organisation_id),
            eva=add_coordinator(connection, "Eva", chapters=[elsewhere]),
            hal=add_global_admin(connection, "Hal"),
            stranger_id=uuid4(),
        )
        make_admin(connection, world.eva, other_organisation_id)
    return world


def add_organisation(
    connection: psycopg.Connection[Any],
    name: str,
    *,
    time_zone: str = "Europe/Oslo",
    required_kinds: Iterable[str] = (),
) -> UUID:
    """An organisation; with `required_kinds` its mentors need these certificates."""
    organisation_id = uuid4()
    connection.execute(
        "insert into public.organisations (id, name, time_zone, required_certification_kinds) values (%s, %s, %s, %s)",
        (organisation_id, name, time_zone, list(required_kinds)),
    )
    return organisation_id


def add_chapter(connection: psycopg.Connection[Any], organisation_id: UUID, name: str) -> Chapter:
    """A chapter without anybody in it."""
    chapter = Chapter(uuid4(), organisation_id, name)
    connection.execute(
        "insert into public.chapters (id, organisation_id, name) values (%s, %s, %s)",
        (chapter.chapter_id, organisation_id, name),
    )
    return chapter


def add_person(connection: psycopg.Connection[Any], first_name: str) -> Person:
    """Somebody with an account and no role."""
    person = Person(uuid4(), first_name)
    connection.execute(
        "insert into public.people (user_id, display_name, first_name, email) values (%s, %s, %s, %s)",
        (person.user_id, person.display_name, first_name, f"{first_name.lower()}@example.org"),
    )
    return person


def add_mentor(connection: psycopg.Connection[Any], first_name: str, *, chapters: list[Chapter]) -> Mentor:
    """An active mentor of these chapters, which belong to one organisation."""
    person = add_person(connection, first_name)
    mentor = Mentor(person.user_id, first_name, uuid4(), chapters[0].organisation_id)
    connection.execute(
        "insert into public.peer_mentors (id, organisation_id, user_id, display_name, first_name) values (%s, %s, %s, %s, %s)",
        (mentor.mentor_id, mentor.organisation_id, mentor.user_id, mentor.display_name, first_name),
    )
    for chapter in chapters:
        connection.execute(
            "insert into public.chapter_memberships (organisation_id, chapter_id, mentor_id) values (%s, %s, %s)",
            (chapter.organisation_id, chapter.chapter_id, mentor.mentor_id),
        )
    return mentor


def add_coordinator(
    connection: psycopg.Connection[Any], first_name: str, *, chapters: list[Chapter], active: bool = True
) -> Person:
    """A coordinator of these chapters, or with `active=False` one who was."""
    person = add_person(connection, first_name)
    for chapter in chapters:
        connection.execute(
            "insert into public.coordinator_roles (organisation_id, chapter_id, user_id, active) values (%s, %s, %s, %s)",
            (chapter.organisation_id, chapter.chapter_id, person.user_id, active),
        )
    return person


def add_admin(connection: psycopg.Connection[Any], first_name: str, organisation_id: UUID) -> Person:
    """An admin of one organisation."""
    person = add_person(connection, first_name)
    make_admin(connection, person, organisation_id)
    return person


def make_admin(connection: psycopg.Connection[Any], person: Person, organisation_id: UUID) -> None:
    """Let somebody administer an organisation."""
    connection.execute(
        "insert into public.organisation_admins (organisation_id, user_id) values (%s, %s)",
        (organisation_id, person.user_id),
    )


def add_global_admin(connection: psycopg.Connection[Any], first_name: str) -> Person:
    """An admin of every organisation."""
    person = add_person(connection, first_name)
    connection.execute("insert into peerpause.global_admins (user_id) values (%s)", (person.user_id,))
    return person


def require_certificate(
    connection: psycopg.Connection[Any], organisation_id: UUID, kind: str = "peer_mentor"
) -> None:
    """From now on the organisation's mentors need a valid certificate of this kind."""
    connection.execute(
        "update public.organisations set required_certification_kinds = array[%s] where id = %s",
        (kind, organisation_id),
    )


def add_certificate(
    connection: psycopg.Connection[Any],
    mentor: Mentor,
    *,
    issued_on: date,
    expires_on: date | None,
    kind: str = "peer_mentor",
) -> UUID:
    """A certificate; `expires_on` is its last valid day, None for one without an end."""
    certificate_id = uuid4()
    connection.execute(
        "insert into public.certifications (id, organisation_id, mentor_id, kind, issued_on, expires_on)"
        " values (%s, %s, %s, %s, %s, %s)",
        (certificate_id, mentor.organisation_id, mentor.mentor_id, kind, issued_on, expires_on),
    )
    return certificate_id


def add_device(
    connection: psycopg.Connection[Any], person: Person, token: str, *, platform: str = "android"
) -> None:
    """A device that gets this person's pushes."""
    connection.execute(
        "insert into public.device_tokens (token, user_id, platform) values (%s, %s, %s)",
        (token, person.user_id, platform),
    )


def set_status(connection: psycopg.Connection[Any], mentor: Mentor, status: str, *, reason: str) -> None:
    """Move a mentor as the system would, history row included."""
    connection.execute(
        "select set_config('peerpause.change', %s, true)", (json.dumps({"actor_id": None, "reason": reason}),)
    )
    connection.execute(
        "update public.peer_mentors set status = %s, pause_reason = case when %s = 'paused' then %s end where id = %s",
        (status, status, reason, mentor.mentor_id),
    )
    connection.execute("select set_config('peerpause.change', '', true)")
