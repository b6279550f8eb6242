"""A backup is dumped, restored and looked over by the script that the guide names; and the script sees what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.audit.recording import tell
from tests.cast import World, build_world
from tests.database.acting import pause, person_session
from tests.project.sources import ROOT
from tests.servers import Database

_DRILL = Path(ROOT, "deploy", "backup-drill.sh")


@pytest.fixture
async def world(database: Database) -> World:
    world = build_world(database.url)
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada, p_note="kept")
    await tell(database)
    return world


def drill(source: Database, goal: Database) -> subprocess.CompletedProcess[str]:
    programs = f"{source.server.bin_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(_DRILL), source.url, goal.url],
        env={**os.environ, "PATH": programs},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_backup_is_restored_and_whole(database: Database, world: World) -> None:
    with database.server.new_database(template="template0") as scratch:
        done = drill(database, scratch)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "The backup can be restored." in done.stdout
        with psycopg.connect(scratch.url) as connection:
            row = connection.execute(
                "select status::text, pause_note from public.peer_mentors where id = %s",
                (world.ada.mentor_id,),
            ).fetchone()
    assert row == ("paused", "kept")


def test_a_record_that_was_altered_is_seen(database: Database, world: World) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update public.peer_mentor_status_history set reason = 'family' where previous_status is not null"
        )
    with database.server.new_database(template="template0") as scratch:
        done = drill(database, scratch)
    assert done.returncode != 0
    assert "the audit agrees" in done.stdout
    assert "The backup can be restored." not in done.stdout
