"""Asks the database for what it holds already of the things that files speak of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row, scalar_row

from peerpause.directory.accounts import settle_accounts
from peerpause.directory.existing import (
    Existing,
    ExistingCertificate,
    ExistingChapter,
    ExistingMembership,
    ExistingMentor,
    ExistingOrganisation,
    ExistingPerson,
    ExistingRole,
    ExistingStaff,
)
from peerpause.directory.external_ids import is_stand_in, stand_in_user_id
from peerpause.directory.lines import ImportLines
from peerpause.errors import PermissionDenied
from peerpause.sql import query

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Clock:
    now: datetime
    sees_only_some: bool


async def look_up(connection: psycopg.AsyncConnection[Any], lines: ImportLines) -> Existing:
    """Read everything that planning these lines needs, in ten statements or eleven.

    Raises PermissionDenied when row security hides rows from this user: what cannot be seen would be planned anew.
    """
    clock = (await _rows(connection, _Clock, "clock"))[0]
    if clock.sees_only_some:
        raise PermissionDenied(
            "This database user sees only some of the rows.",
            hint="Connect as the role that applied the migrations.",
        )
    organisations = {
        row.key: row
        for row in await _rows(
            connection, ExistingOrganisation, "organisations", keys=_organisation_keys(lines)
        )
    }
    places = {"organisation_ids": [organisation.id for organisation in organisations.values()]}
    chapters = await _rows(connection, ExistingChapter, "chapters", **places)
    mentors = {
        (row.organisation_id, row.key): row
        for row in await _rows(connection, ExistingMentor, "mentors", **_mentor_keys(lines, organisations))
    }
    staff = {
        (row.organisation_id, row.email.casefold(), row.first_name.casefold()): row.user_id
        for row in await _rows(connection, ExistingStaff, "staff", **places)
        if not is_stand_in(row.user_id)
    }
    accounts = settle_accounts(lines.people, organisations=organisations, mentors=mentors, staff=staff)
    stand_ins = (stand_in_user_id(*key) for key in accounts.user_ids)
    people = {"user_ids": list({*accounts.user_ids.values(), *stand_ins})}
    mentor_ids = {"mentor_ids": [mentor.id for mentor in mentors.values()]}
    return Existing(
        now=clock.now,
        organisations=organisations,
        chapters={(row.organisation_id, row.key): row for row in chapters},
        mentors=mentors,
        staff=staff,
        people={row.user_id: row for row in await _rows(connection, ExistingPerson, "people", **people)},
        shared=frozenset() if lines.within is None else await _shared(connection, **people, **places),
        memberships=_grouped(
            (row.mentor_id, row.chapter_id)
            for row in await _rows(connection, ExistingMembership, "memberships", **mentor_ids)
        ),
        coordinators=_by_place(await _rows(connection, ExistingRole, "coordinators", **people)),
        admins=_by_place(await _rows(connection, ExistingRole, "admins", **people)),
        certificates=_by_issue(await _rows(connection, ExistingCertificate, "certificates", **mentor_ids)),
    )


async def _shared(connection: psycopg.AsyncConnection[Any], **arguments: object) -> frozenset[UUID]:
    cursor = connection.cursor(row_factory=scalar_row)
    await cursor.execute(query("import_read_shared").encode(), arguments)
    return frozenset(await cursor.fetchall())


async def _rows(
    connection: psycopg.AsyncConnection[Any], kind: type[_T], what: str, **arguments: object
) -> list[_T]:
    cursor = connection.cursor(row_factory=class_row(kind))
    await cursor.execute(query(f"import_read_{what}").encode(), arguments)
    return await cursor.fetchall()


def _organisation_keys(lines: ImportLines) -> list[str]:
    return list(
        {line.organisation for line in lines.organisations}
        | {line.organisation for line in lines.chapters}
        | {line.organisation for line in lines.people}
        | {line.organisation for line in lines.certificates}
    )


def _mentor_keys(
    lines: ImportLines, organisations: Mapping[str, ExistingOrganisation]
) -> dict[str, list[Any]]:
    named = {(line.organisation, line.person) for line in lines.people}
    named |= {(line.organisation, line.person) for line in lines.certificates}
    known = [
        (organisations[organisation].id, person)
        for organisation, person in named
        if organisation in organisations
    ]
    return {
        "organisation_ids": [organisation for organisation, _ in known],
        "keys": [person for _, person in known],
        "ids": [_as_id(person) for _, person in known],
    }


def _as_id(code: str) -> UUID | None:
    try:
        return UUID(code)
    except ValueError:
        return None


def _grouped(pairs: Iterable[tuple[UUID, UUID]]) -> dict[UUID, frozenset[UUID]]:
    groups: dict[UUID, set[UUID]] = defaultdict(set)
    for owner, member in pairs:
        groups[owner].add(member)
    return {owner: frozenset(members) for owner, members in groups.items()}


def _by_place(roles: Iterable[ExistingRole]) -> dict[tuple[UUID, UUID], ExistingRole]:
    return {(role.place_id, role.user_id): role for role in roles}


def _by_issue(
    certificates: Iterable[ExistingCertificate],
) -> dict[tuple[UUID, str, date], tuple[ExistingCertificate, ...]]:
    groups: dict[tuple[UUID, str, date], list[ExistingCertificate]] = defaultdict(list)
    for certificate in certificates:
        groups[certificate.mentor_id, certificate.kind, certificate.issued_on].append(certificate)
    return {key: tuple(group) for key, group in groups.items()}
