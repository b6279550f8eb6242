"""Organisations with as many mentors as a question needs, made by a few statements in seconds.

Ids are numbers written as uuids, so that a load generator can name any of them: `('a' || lpad(7::text, 31, '0'))::uuid` is mentor
seven (1 to ``mentors``). Mentors of one chapter lie scattered over the table, as they do after years of use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

import psycopg

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Population:
    """How many there are. Each organisation has its share of chapters; each chapter its share of mentors and one coordinator, who
    coordinates ``chapters_each`` chapters in a row. Every tenth mentor serves a second chapter. ``certified``: organisations require
    a certificate, and each mentor has a valid one and an older one that it renewed.
    """

    mentors: int
    chapters: int
    organisations: int = 10
    chapters_each: int = 1
    certified: bool = False

    @property
    def coordinators(self) -> int:
        """How many people coordinate chapters."""
        return self.chapters // self.chapters_each

    def fill(self, connection: Connection) -> None:
        """Make them in a migrated database that is empty. Commits; as a superuser, because triggers are switched off for it."""
        numbers = {
            "mentors": self.mentors,
            "chapters": self.chapters,
            "organisations": self.organisations,
            "chapters_each": self.chapters_each,
        }
        with without_triggers(connection):
            for statement in _STATEMENTS:
                connection.execute(statement, numbers)
            if self.certified:
                for statement in _CERTIFICATES:
                    connection.execute(statement, numbers)
        connection.autocommit = True
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")
        connection.autocommit = False


def mentor_id(number: int) -> UUID:
    """The id of a mentor, 1 to ``mentors``."""
    return _numbered("a", number)


def mentor_user_id(number: int) -> UUID:
    """The `sub` of a mentor's token."""
    return _numbered("b", number)


def coordinator_id(number: int) -> UUID:
    """The `sub` of a coordinator's token, 1 to ``coordinators``."""
    return _numbered("f", number)


def chapter_id(number: int) -> UUID:
    """The id of a chapter, 1 to ``chapters``."""
    return _numbered("c", number)


def organisation_id(number: int) -> UUID:
    """The id of an organisation, 1 to ``organisations``."""
    return _numbered("d", number)


@contextmanager
def without_triggers(connection: Connection) -> Iterator[None]:
    """A transaction in which neither triggers nor foreign keys look at what is written. Commits."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        yield
    connection.commit()


def _numbered(kind: str, number: int) -> UUID:
    return UUID(f"{kind}{number:031d}")


# A mentor's chapter is its number's remainder, a chapter's organisation likewise: so mentor n, the chapter and the organisation agree.
_STATEMENTS: tuple[LiteralString, ...] = (
    """
    insert into public.organisations (id, name)
    select ('d' || lpad(n::text, 31, '0'))::uuid, 'Organisation ' || n
    from generate_series(1, %(organisations)s::integer) as n
    """,
    """
    insert into public.chapters (id, organisation_id, name)
    select
      ('c' || lpad(n::text, 31, '0'))::uuid,
      ('d' || lpad(((n - 1) %% %(organisations)s + 1)::text, 31, '0'))::uuid,
      'Chapter ' || n
    from generate_series(1, %(chapters)s::integer) as n
    """,
    """
    insert into public.peer_mentors (id, organisation_id, user_id, display_name, first_name, external_id)
    select
      ('a' || lpad(n::text, 31, '0'))::uuid,
      ('d' || lpad((((n - 1) %% %(chapters)s) %% %(organisations)s + 1)::text, 31, '0'))::uuid,
      ('b' || lpad(n::text, 31, '0'))::uuid,
      f.names[n %% 10 + 1] || ' ' || f.last_names[n / 10 %% 10 + 1] || ' ' || n,
      f.names[n %% 10 + 1],
      'member ' || n
    from
      generate_series(1, %(mentors)s::integer) as n,
      (values (
        array['Ada', 'Bo', 'Cy', 'Dag', 'Eva', 'Finn', 'Greta', 'Hal', 'Ida', 'Jo'],
        array['Hansen', 'Olsen', 'Berg', 'Lund', 'Moe', 'Dahl', 'Strand', 'Vik', 'Haug', 'Lie']
      )) as f (names, last_names)
    """,
    """
    insert into public.peer_mentor_status_history (organisation_id, mentor_id, new_status, changed_at, told_at)
    select p.organisation_id, p.id, p.status, p.updated_at, p.updated_at
    from public.peer_mentors as p
    """,
    """
    insert into public.chapter_memberships (organisation_id, chapter_id, mentor_id)
    select p.organisation_id, ('c' || lpad(m.chapter::text, 31, '0'))::uuid, p.id
    from generate_series(1, %(mentors)s::integer) as n
    cross join lateral (
      select (n - 1) %% %(chapters)s + 1 as chapter
      union
      -- A chapter of the same organisation.
      select (n - 1 + %(organisations)s) %% %(chapters)s + 1
      where n %% 10 = 0 and %(chapters)s %% %(organisations)s = 0
    ) as m
    inner join public.peer_mentors as p on p.id = ('a' || lpad(n::text, 31, '0'))::uuid
    """,
    """
    insert into public.people (user_id, first_name, display_name, email)
    select ('f' || lpad(n::text, 31, '0'))::uuid, 'Kim', 'Kim Coordinator ' || n, null
    from generate_series(1, (%(chapters)s / %(chapters_each)s)::integer) as n
    """,
    """
    insert into public.coordinator_roles (organisation_id, chapter_id, user_id)
    select c.organisation_id, c.id, ('f' || lpad(((n - 1) / %(chapters_each)s + 1)::text, 31, '0'))::uuid
    from generate_series(1, (%(chapters)s / %(chapters_each)s * %(chapters_each)s)::integer) as n
    inner join public.chapters as c on c.id = ('c' || lpad(n::text, 31, '0'))::uuid
    """,
)

_CERTIFICATES: tuple[LiteralString, ...] = (
    "update public.organisations set required_certification_kinds = '{peer_mentor}'",
    """
    insert into public.certifications (organisation_id, mentor_id, issued_on, expires_on)
    select p.organisation_id, p.id, current_date - c.age, current_date - c.age + 730
    from public.peer_mentors as p
    cross join lateral (
      values (1000 + hashtext(p.id::text) %% 100), (300 + hashtext(p.id::text) %% 100)
    ) as c (age)
    """,
)
