"""SQL has its own files and its own names; Python asks for a statement by name.

What Python may say itself are the short statements about the session that hold no table: `begin`, `commit`, `rollback`,
`savepoint`, `set …`, `select set_config(…)`, `select pg_advisory_lock(…)`, `create database …`. They need no list here: a
statement counts as SQL of its own only if it reads, writes or defines something in a schema.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.project.sources import Module, modules

# Keywords are all lower or all upper case: "Select a chapter from the list" is a sentence.
_STATEMENT = re.compile(
    r"""
    ^\s*(?:--[^\n]*\n\s*)*
    (?:
      (?:with|WITH)\s+\w+\s+(?:as|AS)\s*\(
    | (?:select|SELECT)\s(?:.*\s)?(?:from|FROM)\s
    | (?:insert|INSERT)\s+(?:into|INTO)\s
    | (?:update|UPDATE)\s+(?:only\s+)?\S+\s+(?:set|SET)\s
    | (?:delete|DELETE)\s+(?:from|FROM)\s
    | (?:merge|MERGE)\s+(?:into|INTO)\s
    | (?:copy|COPY)\s+\S+.*\s(?:from|to|FROM|TO)\s
    | (?:truncate|TRUNCATE)\s+\S+\s*;?\s*$
    | (?:create|alter|drop|CREATE|ALTER|DROP)\s+(?:or\s+replace\s+|OR\s+REPLACE\s+|unique\s+|UNIQUE\s+)*
      (?:table|schema|function|procedure|index|view|type|policy|trigger|sequence|extension|role
        |TABLE|SCHEMA|FUNCTION|PROCEDURE|INDEX|VIEW|TYPE|POLICY|TRIGGER|SEQUENCE|EXTENSION|ROLE)\s
    | (?:grant|revoke|GRANT|REVOKE)\s.*\s(?:on|ON)\s
    | (?:do|DO)\s+\$\w*\$
    )
    """,
    re.VERBOSE | re.DOTALL,
)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_no_module_holds_a_statement_of_its_own(module: Module) -> None:
    assert list(sql_in(module)) == []


@pytest.mark.parametrize(
    "text",
    [
        'connection.execute("select id from public.chapters")',
        'connection.execute("SELECT * FROM public.get_mentor_status(%s)", [1])',
        'connection.execute(f"select {columns} from {table} where id = 1")',
        'connection.execute("insert into public.job_runs "\n  "values (1)")',
        'connection.execute("""\n  -- who is away\n  update public.peer_mentors\n  set status = 1""")',
        'connection.execute("delete from public.device_tokens")',
        'connection.execute("with away as (select 1) select 2")',
        'sql.SQL("create table {} (id uuid)")',
        'sql.SQL("create or replace function f() returns int")',
        'STATEMENT = "grant select on public.chapters to anon"',
        "BLOCK = 'do $$ begin end $$'",
    ],
)
def test_it_spots_a_statement_in_a_string(text: str) -> None:
    assert len(list(sql_in(Module(name="example.py", text=text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"""Update the table: select a chapter from the list."""',
        "def f() -> None:\n  'select one from the others'",
        'connection.execute("begin")',
        'connection.execute("set local role authenticated")',
        "connection.execute(\"select set_config('request.jwt.claims', %s, true)\")",
        'connection.execute("select pg_advisory_lock(%s)")',
        'sql.SQL("create database {}")',
        'help = "Select a chapter from the list"',
        'help = "update the clock and set it right"',
    ],
)
def test_it_leaves_sentences_and_session_statements_alone(text: str) -> None:
    assert list(sql_in(Module(name="example.py", text=text))) == []


def sql_in(module: Module) -> Iterator[str]:
    """Each SQL statement in a string of the module, as `file:line: its beginning`."""
    tree = module.tree
    silent = _docstrings(tree) | _parts_of_f_strings(tree)
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        text = _text(node)
        if text is not None and _STATEMENT.match(text):
            yield f"{module.name}:{node.lineno}: {' '.join(text.split())[:60]}"  # type: ignore[attr-defined]  # expressions have lines


def _text(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "x" for part in parts)
        case _:
            return None


def _docstrings(tree: ast.Module) -> set[int]:
    """A string that stands alone as a statement is a docstring or a comment, never run."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _parts_of_f_strings(tree: ast.Module) -> set[int]:
    return {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
