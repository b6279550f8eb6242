"""An app that was there first: its tables, its people's policies, its server's own login, and what it does all day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.servers import Database

TABLES = ("organisations", "chapters", "peer_mentors", "chapter_memberships", "certifications")

ORGANISATION = UUID("00000000-0000-4000-8000-000000000001")
CHAPTER = UUID("00000000-0000-4000-8000-000000000002")
ADA = UUID("00000000-0000-4000-8000-00000000000a")
ADAS_LOGIN = UUID("00000000-0000-4000-8000-0000000000aa")
BO = UUID("00000000-0000-4000-8000-00000000000b")
BOS_LOGIN = UUID("00000000-0000-4000-8000-0000000000bb")

_SCHEMA: LiteralString = """
create table public.organisations (id uuid primary key, name varchar(80) not null, logo text);
create table public.chapters (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id) on delete cascade,
  name text not null,
  city text default 'Oslo'
);
create table public.peer_mentors (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  user_id uuid unique,
  display_name text not null,
  first_name text not null,
  phone text,
  updated_at timestamptz default now(),
  changes integer not null default 0
);
comment on table public.peer_mentors is 'The app''s own words.';
comment on column public.peer_mentors.updated_at is 'When the app last wrote here.';
create table public.chapter_memberships (
  mentor_id uuid not null references public.peer_mentors (id),
  chapter_id uuid not null references public.chapters (id),
  organisation_id uuid not null,
  since date not null default current_date,
  primary key (mentor_id, chapter_id)
);
create table public.certifications (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  mentor_id uuid not null,
  kind text not null default 'peer_mentor',
  number serial,
  issued_on date not null,
  expires_on date
);

create function public.count_changes() returns trigger language plpgsql as $$
begin
  new.changes := old.changes + 1;
  return new;
end
$$;
create trigger count_changes before update on public.peer_mentors for each row execute function public.count_changes();

insert into public.organisations values ('00000000-0000-4000-8000-000000000001', 'Hearing Friends', 'ear.svg');
insert into public.chapters (id, organisation_id, name)
values ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 'North');
insert into public.peer_mentors (id, organisation_id, user_id, display_name, first_name, phone, updated_at)
values
('00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-0000000000aa', 'Ada Hansen', 'Ada', '1', '2024-01-01'),
('00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-0000000000bb', 'Bo Hansen', 'Bo', '2', null);
insert into public.chapter_memberships (mentor_id, chapter_id, organisation_id)
values ('00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001');
insert into public.certifications (organisation_id, mentor_id, issued_on, expires_on)
values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', '2024-01-01', '2027-01-01');
"""

# Of the app's people some come in as `authenticated`; what its policies let them do, they do by plain SQL.
_PEOPLE: LiteralString = """
grant select on all tables in schema public to authenticated;
revoke select on public.certifications from authenticated;
grant select (id, mentor_id) on public.certifications to authenticated;
grant update (phone) on public.peer_mentors to authenticated;
"""

_POLICIES: LiteralString = """
create policy "everybody sees everybody" on public.peer_mentors for select to authenticated using (true);
create policy "people keep their phone number" on public.peer_mentors for update to authenticated
using (user_id = auth.uid()) with check (user_id = auth.uid());
create policy "people see the organisations" on public.organisations for select to authenticated using (true);
create policy "people see the chapters" on public.chapters for select to authenticated using (true);
"""

_DAYS_WORK: tuple[LiteralString, ...] = (
    "insert into public.peer_mentors (organisation_id, display_name, first_name)"
    " values ('00000000-0000-4000-8000-000000000001', 'Cy Hansen', 'Cy')",
    "insert into public.peer_mentors"
    " values (gen_random_uuid(), '00000000-0000-4000-8000-000000000001', null, 'Dag Hansen', 'Dag', '4', now(), 0)",
    "update public.peer_mentors set phone = '5', display_name = 'Ada B. Hansen', updated_at = now() where first_name = 'Ada'",
    "insert into public.chapters (organisation_id, name) values ('00000000-0000-4000-8000-000000000001', 'South')",
    "insert into public.chapter_memberships (mentor_id, chapter_id, organisation_id)"
    " select p.id, c.id, p.organisation_id from public.peer_mentors as p cross join public.chapters as c where p.first_name = 'Bo'",
    "insert into public.certifications (organisation_id, mentor_id, issued_on, expires_on)"
    " select p.organisation_id, p.id, current_date, current_date + 700 from public.peer_mentors as p where p.first_name = 'Bo'",
    "update public.organisations set logo = 'new.svg'",
    "delete from public.chapter_memberships where since <= current_date",
)


@dataclass(frozen=True, slots=True)
class OldApp:
    """The app's database, and the login of its server."""

    database: Database
    login: str

    def as_owner(self) -> psycopg.Connection[dict[str, object]]:
        return psycopg.connect(self.database.url, row_factory=dict_row)

    def as_server(self) -> psycopg.Connection[dict[str, object]]:
        return psycopg.connect(self.database.url_as(self.login), row_factory=dict_row)

    def as_person(self, person: UUID) -> psycopg.Connection[dict[str, object]]:
        return psycopg.connect(self.database.url_as("authenticated", sub=person), row_factory=dict_row)


@contextmanager
def old_app(database: Database, *, row_security: bool, server_owns_tables: bool = False) -> Iterator[OldApp]:
    """Set the app up in a database where Supabase's roles and functions are. Its login is the cluster's, so it goes at the end."""
    login = f"old_app_{database.name}"
    with psycopg.connect(database.url, autocommit=True) as owner:
        owner.execute(sql.SQL("create role {} login").format(sql.Identifier(login)))
        try:
            with owner.transaction():
                owner.execute(_SCHEMA)
                owner.execute(_PEOPLE)
                _let_in(owner, login, row_security=row_security, server_owns_tables=server_owns_tables)
            yield OldApp(database, login)
        finally:
            owner.execute(sql.SQL("reassign owned by {} to postgres").format(sql.Identifier(login)))
            owner.execute(sql.SQL("drop owned by {}").format(sql.Identifier(login)))
            owner.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))


def _let_in(owner: psycopg.Connection, login: str, *, row_security: bool, server_owns_tables: bool) -> None:
    server = sql.Identifier(login)
    owner.execute(
        sql.SQL("grant select, insert, update, delete on all tables in schema public to {}").format(server)
    )
    owner.execute(sql.SQL("grant usage on all sequences in schema public to {}").format(server))
    if row_security:
        owner.execute(_POLICIES)
    for table in TABLES:
        name = sql.Identifier("public", table)
        if server_owns_tables:
            owner.execute(sql.SQL("alter table {} owner to {}").format(name, server))
        if row_security:
            owner.execute(sql.SQL("alter table {} enable row level security").format(name))
            owner.execute(
                sql.SQL('create policy "the server does everything" on {} to {} using (true)').format(
                    name, server
                )
            )


def do_a_days_work(app: OldApp) -> None:
    """What the app's server does, thrown away afterwards; fails where it no longer can."""
    with app.as_server() as server:
        for step in _DAYS_WORK:
            assert server.execute(step).rowcount > 0, step
        server.rollback()


def old_columns(app: OldApp) -> dict[str, list[str]]:
    """The app's tables with their columns, in order."""
    with app.as_owner() as owner:
        return {
            table: [
                column.name
                for column in owner.execute(
                    sql.SQL("select * from {} limit 0").format(sql.Identifier("public", table))
                ).description
                or ()
            ]
            for table in TABLES
        }


def everything(app: OldApp, columns: dict[str, list[str]]) -> dict[str, list[dict[str, object]]]:
    """All that these columns hold."""
    with app.as_owner() as owner:
        return {
            table: owner.execute(
                sql.SQL("select {} from {} order by {}::text").format(
                    sql.SQL(", ").join(map(sql.Identifier, names)),
                    sql.Identifier("public", table),
                    sql.Identifier(names[0]),
                )
            ).fetchall()
            for table, names in columns.items()
        }
