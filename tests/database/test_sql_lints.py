"""House rules for what is in the database, each a query for whoever breaks it, and each shown to find what it looks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from tests.database.plpgsql_check import require_plpgsql_check
from tests.project.sources import PACKAGE, ROOT
from tests.servers import Database

_OURS = "('public'::regnamespace, 'peerpause'::regnamespace)"

# Who breaks a rule, by the rule.
_RULES: dict[str, str] = {
    # A body of `return …` has none to pin: its names were bound when it was made.
    "a function pins its search_path, with temporary objects last": f"""
        select p.oid::regprocedure::text
        from pg_proc as p
        where
          p.pronamespace in {_OURS}
          and (p.prosqlbody is null or p.prosecdef)
          and 'search_path=pg_catalog, pg_temp' <> all(coalesce(p.proconfig, '{{}}'))
    """,
    "a function that acts as its owner lives in the private schema": """
        select p.oid::regprocedure::text
        from pg_proc as p
        where p.pronamespace = 'public'::regnamespace and p.prosecdef
    """,
    "no function is open to everyone by default": f"""
        select p.oid::regprocedure::text
        from pg_proc as p
        where p.pronamespace in {_OURS} and (
          select bool_or(x.grantee = 0) from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as x
        )
    """,
    "a visitor without a token calls nothing but what is named public_": f"""
        select p.oid::regprocedure::text
        from pg_proc as p
        where
          p.pronamespace in {_OURS}
          and has_function_privilege('anon', p.oid, 'execute')
          and p.proname not like 'public\\_%'
    """,
    "a visitor without a token reads no table and no view": f"""
        select c.oid::regclass::text
        from pg_class as c
        where
          c.relnamespace in {_OURS}
          and c.relkind in ('r', 'p', 'v', 'm')
          and (
            has_table_privilege('anon', c.oid, 'select, insert, update, delete, truncate, references, trigger')
            or has_any_column_privilege('anon', c.oid, 'select, insert, update, references')
          )
    """,
    "what clients call in public, the service role may call too": """
        select p.oid::regprocedure::text
        from pg_proc as p
        where p.pronamespace = 'public'::regnamespace and not has_function_privilege('service_role', p.oid, 'execute')
    """,
    "nobody but the owner touches the tables of the private schema": """
        select c.oid::regclass || ' ' || r.rolname
        from pg_class as c
        cross join (values ('anon'), ('authenticated')) as r (rolname)
        where
          c.relnamespace = 'peerpause'::regnamespace
          and c.relkind in ('r', 'p', 'v', 'm')
          and has_table_privilege(r.rolname, c.oid, 'select, insert, update, delete, truncate')
    """,
    "nobody empties or rewires a table": """
        select c.oid::regclass || ' ' || r.rolname
        from pg_class as c
        cross join (values ('anon'), ('authenticated'), ('service_role')) as r (rolname)
        where
          c.relnamespace = 'public'::regnamespace
          and c.relkind in ('r', 'p', 'v', 'm')
          and has_table_privilege(r.rolname, c.oid, 'truncate, references, trigger')
    """,
    "every table is under row-level security, for its owner too": f"""
        select c.oid::regclass::text
        from pg_class as c
        where
          c.relnamespace in {_OURS}
          and c.relkind in ('r', 'p')
          and not (c.relrowsecurity and c.relforcerowsecurity)
    """,
    "every table that people may touch has a policy for them": """
        select c.oid::regclass::text
        from pg_class as c
        where
          c.relnamespace = 'public'::regnamespace
          and c.relkind in ('r', 'p')
          and has_any_column_privilege('authenticated', c.oid, 'select')
          and not exists (select from pg_policy as p where p.polrelid = c.oid)
    """,
    "a view sees with the eyes of its reader": """
        select c.oid::regclass::text
        from pg_class as c
        where
          c.relnamespace = 'public'::regnamespace
          and c.relkind = 'v'
          and 'security_invoker=true' <> all(coalesce(c.reloptions, '{}'))
    """,
    # A mentor, a history row or an organisation has an id of its own, so an index that leads with any column of the key but the
    # organisation finds the rows that point at it.
    "every foreign key has an index that leads to its rows": f"""
        select k.conrelid::regclass || ' ' || k.conname
        from pg_constraint as k
        where k.connamespace in {_OURS} and k.contype = 'f' and not exists (
          select
          from pg_index as i
          inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
          where
            i.indrelid = k.conrelid
            and i.indkey[0] = any(k.conkey)
            and (cardinality(k.conkey) = 1 or a.attname <> 'organisation_id' or i.indkey[1] = any(k.conkey))
            and (
              i.indpred is null
              -- A key that is mostly null need not index the nulls.
              or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$'
            )
        )
    """,
    "no constraint is left unchecked": f"""
        select k.conrelid::regclass || ' ' || k.conname
        from pg_constraint as k
        where k.connamespace in {_OURS} and not k.convalidated
    """,
    "every table says what it is for": f"""
        select c.oid::regclass::text
        from pg_class as c
        where
          c.relnamespace in {_OURS} and c.relkind in ('r', 'p') and obj_description(c.oid, 'pg_class') is null
    """,
    # Wrapped in a sub-select, a call runs once a statement; bare, it runs once a row.
    "a policy asks who is there once a statement": """
        select p.polrelid::regclass || ' ' || p.polname
        from pg_policy as p
        cross join lateral (
          values (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))
        ) as e (condition)
        where regexp_replace(e.condition, 'SELECT (auth|peerpause)\\.\\w+\\(\\)', '', 'g') ~ '(auth|peerpause)\\.\\w+\\('
    """,
    "a policy's name is a sentence": """
        select p.polrelid::regclass || ' ' || p.polname
        from pg_policy as p
        where p.polname !~ '^[a-z]+(,? [a-z]+){2,}$'
    """,
    "an enumeration is not a check in disguise": f"""
        select t.oid::regtype::text
        from pg_type as t
        where t.typnamespace in {_OURS} and t.typtype = 'e' and t.typname <> 'mentor_status'
    """,
}


@pytest.fixture
def connection(module_database: Database) -> Iterator[psycopg.Connection]:
    """A connection whose changes nobody keeps."""
    with psycopg.connect(module_database.url) as opened:
        yield opened
        opened.rollback()


def offenders(connection: psycopg.Connection, rule: str) -> list[str]:
    return sorted(str(row[0]) for row in connection.execute(_RULES[rule].encode()).fetchall())


@pytest.mark.parametrize("rule", _RULES)
def test_our_rule_is_kept_that(connection: psycopg.Connection, rule: str) -> None:
    assert offenders(connection, rule) == []


_BREACHES: list[tuple[LiteralString, str, str]] = [
    (
        "alter function peerpause.my_chapters() reset search_path",
        "a function pins its search_path, with temporary objects last",
        "peerpause.my_chapters()",
    ),
    (
        "alter function peerpause.my_chapters() set search_path = public",
        "a function pins its search_path, with temporary objects last",
        "peerpause.my_chapters()",
    ),
    (
        "alter function peerpause.clock() security definer",
        "a function pins its search_path, with temporary objects last",
        "peerpause.clock()",
    ),
    (
        "alter function public.get_mentor_status(uuid) security definer",
        "a function that acts as its owner lives in the private schema",
        "get_mentor_status(uuid)",
    ),
    (
        "grant execute on function peerpause.clock() to public",
        "no function is open to everyone by default",
        "peerpause.clock()",
    ),
    (
        "create function public.fresh() returns int language sql return 1",
        "no function is open to everyone by default",
        "fresh()",
    ),
    (
        "grant execute on function public.get_mentor_status(uuid) to anon",
        "a visitor without a token calls nothing but what is named public_",
        "get_mentor_status(uuid)",
    ),
    (
        "grant select (name) on public.chapters to anon",
        "a visitor without a token reads no table and no view",
        "chapters",
    ),
    (
        "grant delete on public.peer_mentor_status to anon",
        "a visitor without a token reads no table and no view",
        "peer_mentor_status",
    ),
    (
        "revoke execute on function public.get_mentor_status(uuid) from service_role",
        "what clients call in public, the service role may call too",
        "get_mentor_status(uuid)",
    ),
    (
        "grant select on peerpause.global_admins to authenticated",
        "nobody but the owner touches the tables of the private schema",
        "peerpause.global_admins authenticated",
    ),
    (
        "grant truncate on public.people to authenticated",
        "nobody empties or rewires a table",
        "people authenticated",
    ),
    (
        "alter table public.people no force row level security",
        "every table is under row-level security, for its owner too",
        "people",
    ),
    (
        "create table peerpause.bare ()",
        "every table is under row-level security, for its owner too",
        "peerpause.bare",
    ),
    (
        'drop policy "people see themselves" on public.people',
        "every table that people may touch has a policy for them",
        "people",
    ),
    (
        "alter view public.peer_mentor_status reset (security_invoker)",
        "a view sees with the eyes of its reader",
        "peer_mentor_status",
    ),
    (
        "drop index public.job_runs_organisation",
        "every foreign key has an index that leads to its rows",
        "job_runs job_runs_organisation_id_fkey",
    ),
    (
        "drop index public.history_by_mentor",
        "every foreign key has an index that leads to its rows",
        "peer_mentor_status_history history_mentor",
    ),
    (
        "alter table public.people add constraint later check (true) not valid",
        "no constraint is left unchecked",
        "people later",
    ),
    ("comment on table public.people is null", "every table says what it is for", "people"),
    (
        'alter policy "people see themselves" on public.people using (user_id = auth.uid())',
        "a policy asks who is there once a statement",
        "people people see themselves",
    ),
    (
        'alter policy "people see themselves" on public.people using (user_id = any(peerpause.my_mentors()))',
        "a policy asks who is there once a statement",
        "people people see themselves",
    ),
    (
        "create policy select_people on public.people using (false)",
        "a policy's name is a sentence",
        "people select_people",
    ),
    (
        "create type public.mood as enum ('good')",
        "an enumeration is not a check in disguise",
        "mood",
    ),
]


@pytest.mark.parametrize("breach, rule, offender", _BREACHES, ids=[breach for breach, _, _ in _BREACHES])
def test_it_notices(connection: psycopg.Connection, breach: LiteralString, rule: str, offender: str) -> None:
    connection.execute(breach)
    assert offender in offenders(connection, rule)


def test_every_rule_is_shown_to_find_what_it_looks_for() -> None:
    assert {rule for _, rule, _ in _BREACHES} == set(_RULES)


_CHECK_BODIES: LiteralString = """
select p.oid::regprocedure::text, f.level, f.message, f.lineno
from pg_proc as p
inner join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
left join lateral (
  select max(t.tgrelid::oid) as table_id, max(t.tgoldtable) as old_rows, max(t.tgnewtable) as new_rows
  from pg_trigger as t
  where t.tgfoid = p.oid
) as t on true
cross join lateral plpgsql_check_function_tb(
  p.oid, coalesce(t.table_id, 0), oldtable => t.old_rows, newtable => t.new_rows, fatal_errors => false,
  extra_warnings => true, security_warnings => true, compatibility_warnings => true
) as f
where p.pronamespace in ('public'::regnamespace, 'peerpause'::regnamespace)
order by 1, 4
"""


def test_the_linter_of_function_bodies_finds_nothing(
    module_database: Database, connection: psycopg.Connection
) -> None:
    require_plpgsql_check(module_database)
    connection.execute("create extension plpgsql_check")
    assert connection.execute(_CHECK_BODIES).fetchall() == []


@pytest.mark.parametrize(
    "body, finding",
    [
        ("declare v_unused int; begin perform 1; end", "unused variable"),
        ("begin perform no_such_column from public.people; end", "does not exist"),
        ("declare v_at date := '2020-01-01'::text; begin perform v_at; end", "type"),
    ],
)
def test_the_linter_of_function_bodies_would_find(
    module_database: Database, connection: psycopg.Connection, body: LiteralString, finding: str
) -> None:
    require_plpgsql_check(module_database)
    connection.execute("create extension plpgsql_check")
    connection.execute(f"create function public.careless() returns void language plpgsql as $$ {body} $$")
    found = connection.execute(_CHECK_BODIES).fetchall()
    assert any(row[0] == "careless()" and finding in row[2] for row in found), found


_FUNCTION = re.compile(r"^create (?:or replace )?function (public|peerpause)\.(\w+)\(", re.MULTILINE)


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "sql" / "objects").rglob("*.sql")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_object_opens_with_what_it_is_and_every_function_with_its_contract(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # A file of mere grants may say it all by its name.
    assert text.startswith("--") or not re.search(r"^create ", text, re.MULTILINE)
    assert list(without_contract(text)) == []


@pytest.mark.parametrize(
    "text, found",
    [
        ("-- Says so.\ncreate function peerpause.f()\n", []),
        ("create function peerpause.f()\n", ["peerpause.f"]),
        ("-- Says so.\n\ncreate function peerpause.f()\n", ["peerpause.f"]),
        ("-- Says so.\ncreate function peerpause.f()\n\ncreate function public.f()\n", []),
        ("-- Says so.\ncreate function peerpause.f_mentor()\n\ncreate function public.rpc_f_mentor()\n", []),
        ("-- Says so.\ncreate function peerpause.f()\n\ncreate function public.g()\n", ["public.g"]),
    ],
)
def test_it_notices_a_function_without_a_contract(text: str, found: list[str]) -> None:
    assert list(without_contract(text)) == found


def without_contract(text: str) -> Iterator[str]:
    """Functions with no comment above them. One in `public` stands under the contract of the private one that does its work."""
    told: set[str] = set()
    for function in _FUNCTION.finditer(text):
        schema, name = function.groups()
        line_above = text[: function.start()].removesuffix("\n").rpartition("\n")[2]
        if line_above.startswith("--"):
            told.add(name)
        elif schema != "public" or name.removeprefix("rpc_") not in told:
            yield f"{schema}.{name}"
