"""The overture of the SQL folder says what is there, and what it tells people to type works."""

from __future__ import annotations

import re

import psycopg
import pytest
from psycopg import sql

from tests.cast import World, set_status
from tests.database.acting import NOT_A_MOVE, Session, mentor_row, moves, refused
from tests.project.sources import PACKAGE
from tests.servers import Database

_SQL = PACKAGE / "sql"
_README = (_SQL / "README.md").read_text(encoding="utf-8")
_CHANGE_MANY, _FIND_GAPS = re.findall(r"```sql\n(.*?)```", _README, re.DOTALL)


def test_it_lists_every_table_and_no_other() -> None:
    rows = [line.split("|")[1] for line in _README.splitlines() if line.startswith("| `")]
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(file.stem for file in (_SQL / "objects" / "tables").glob("*.sql"))


def test_it_lists_every_folder() -> None:
    folders = {f"{entry.name}/" for entry in _SQL.iterdir() if entry.is_dir() and entry.name != "__pycache__"}
    assert set(re.findall(r"^\| `(\w+/)`", _README, re.MULTILINE)) == folders


@pytest.fixture
def gone_ada(world: World, database: Database) -> World:
    """Ada left, and her number in the old register is 1001."""
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "update public.peer_mentors set external_id = '1001' where id = %s", (world.ada.mentor_id,)
        )
        set_status(connection, world.ada, "inactive", reason="resigned")
    return world


def test_many_statuses_are_changed_past_the_rules_as_it_says(gone_ada: World, owner: Session) -> None:
    before = mentor_row(owner, gone_ada.ada)
    owner.execute(_CHANGE_MANY.encode())
    after = mentor_row(owner, gone_ada.ada)
    assert after["status"] == "active"
    assert after["updated_at"] > before["updated_at"]
    assert moves(owner, gone_ada.ada) == [(None, "active"), ("active", "inactive"), (None, "active")]
    assert owner.execute(_FIND_GAPS.encode()).fetchall() == []


def test_afterwards_the_rules_are_in_force_again(gone_ada: World, owner: Session) -> None:
    owner.execute(_CHANGE_MANY.encode())
    set_paused = "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s"
    owner.execute(set_paused, (gone_ada.ada.mentor_id,))
    with refused(NOT_A_MOVE):
        owner.execute(
            "update public.peer_mentors set status = 'inactive' where id = %s", (gone_ada.ada.mentor_id,)
        )
    assert moves(owner, gone_ada.ada)[-1] == ("active", "paused")
    disabled = owner.execute("select tgname from pg_trigger where tgenabled = 'D'").fetchall()
    assert disabled == []


def test_a_gap_in_the_history_is_found_as_it_says(gone_ada: World, owner: Session) -> None:
    trigger = sql.Identifier("peerpause_record_update_by_function")
    owner.execute(sql.SQL("alter table public.peer_mentors disable trigger {}").format(trigger))
    owner.execute(
        "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s",
        (gone_ada.finn.mentor_id,),
    )
    assert [row["id"] for row in owner.execute(_FIND_GAPS.encode()).fetchall()] == [gone_ada.finn.mentor_id]
