"""`peerpause serve` as an operator runs it: processes that share a port, ended by SIGTERM under load, and behind PgBouncer."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psycopg
import pytest

from tests.api.serving import serving, token
from tests.cast import Mentor, World, add_mentor, build_world
from tests.conftest import not_run
from tests.reliability.serving import free_port, served
from tests.servers import Database

_PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


@pytest.mark.parametrize("processes", [1, 2])
async def test_sigterm_under_load_loses_no_change(database: Database, world: World, processes: int) -> None:
    """Every change that was made was answered: whoever heard nothing may be sure that nothing happened."""
    with psycopg.connect(database.url) as connection:
        mentors = [add_mentor(connection, f"Mentor{number}", chapters=[world.north]) for number in range(300)]
    answered: set[str] = set()
    begun = asyncio.Event()

    async def pause(client: httpx.AsyncClient, mentor: Mentor) -> None:
        with suppress(httpx.TransportError):
            answer = await client.post(f"/v1/mentors/{mentor.mentor_id}/pause", json={"reason": "other"})
            assert answer.status_code == 200
            answered.add(str(mentor.mentor_id))
            if len(answered) >= 20:
                begun.set()

    async with served(database, "--no-worker", "--workers", str(processes)) as (process, url):
        headers = {"Authorization": f"Bearer {token(world.dag)}", "Connection": "close"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            slots = asyncio.Semaphore(8)

            async def in_turn(mentor: Mentor) -> None:
                async with slots:
                    await pause(client, mentor)

            running = [asyncio.create_task(in_turn(mentor)) for mentor in mentors]
            await begun.wait()
            process.send_signal(signal.SIGTERM)
            await asyncio.gather(*running)
        assert await process.wait() in (0, -signal.SIGTERM)
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "select mentor_id::text from public.peer_mentor_status_history where new_status = 'paused'"
        ).fetchall()
    assert 20 <= len(answered) < len(mentors)
    assert {mentor_id for (mentor_id,) in rows} == answered


async def test_sigterm_ends_open_streams_at_once(database: Database, world: World) -> None:
    async with served(database, "--no-worker") as (process, url):
        headers = {"Authorization": f"Bearer {token(world.bo)}"}
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
            client.stream("GET", "/v1/events") as stream,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 2000"
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):  # far less than requests under way are given
                async for _ in lines:
                    pass
                await process.wait()


async def test_without_a_way_to_check_tokens_it_does_not_start(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PEERPAUSE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from peerpause.cli import main; main()", "serve",
        env={**environment, "PEERPAUSE_DATABASE_URL": "postgresql://127.0.0.1:1/none"},
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"PEERPAUSE_JWT_SECRET" in said
    assert b"Traceback" not in said


@asynccontextmanager
async def pooler(database: Database, folder: Path) -> AsyncIterator[str]:
    """PgBouncer in transaction mode before the database, with two connections for everybody."""
    if _PGBOUNCER is None:
        not_run("the tests behind PgBouncer")
    port = free_port()
    settings = write_settings(folder, database, port)
    # It refuses to run as root.
    command = [_PGBOUNCER, *(["-u", "nobody"] if os.geteuid() == 0 else []), str(settings)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        while True:
            assert process.returncode is None
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            await asyncio.sleep(0.05)
        yield f"postgresql://authenticator@127.0.0.1:{port}/{database.name}"
    finally:
        process.terminate()
        await process.wait()


def write_settings(folder: Path, database: Database, port: int) -> Path:
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        "[databases]\n"
        f"{database.name} = host=127.0.0.1 port={database.server.port} user=authenticator\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "pool_mode = transaction\ndefault_pool_size = 2\nauth_type = any\nlogfile = /dev/null\n"
    )
    # PgBouncer runs as nobody where the tests run as root.
    folder.chmod(0o755)
    settings.chmod(0o644)
    return settings


async def test_behind_a_transaction_pooler_everybody_stays_who_they_are(
    database: Database, world: World
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            pooler(database, folder) as url,
            serving(url, database_prepared_statements=False, database_pool_size=8) as api,
        ):
            mentors = {world.ada: 200, world.finn: 404, world.greta: 404}
            clients = {person: api.as_(person) for person in mentors}

            async def ask(person: Any) -> int:
                answer = await clients[person].get(f"/v1/mentors/{world.ada.mentor_id}/status")
                return answer.status_code

            asked = [person for person in mentors for _ in range(40)]
            assert await asyncio.gather(*(ask(person) for person in asked)) == [
                mentors[person] for person in asked
            ]
            paused = await clients[world.ada].post(
                f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "travel"}
            )
            assert paused.json()["status"] == "paused"
            assert (
                await clients[world.ada].post(
                    "/rest/v1/rpc/get_mentor_status", json={"p_mentor_id": str(world.ada.mentor_id)}
                )
            ).status_code == 200
