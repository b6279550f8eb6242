"""A disk that is full: changes are refused, nothing is half done, and it goes on by itself as soon as there is room."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import servers
from tests.api.serving import token
from tests.cast import Mentor, add_mentor, build_world
from tests.conftest import not_run
from tests.reliability.invariants import breaches
from tests.reliability.serving import migrated, served
from tests.servers import Server

_MEGABYTES = 256
_MOST_CHANGES = 5000


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, with little room. Its path is short, because a socket's may not be long."""
    folder = Path(tempfile.mkdtemp(prefix="peerpause-disk-"))
    folder.chmod(0o755)  # the server runs as somebody else
    options = f"size={_MEGABYTES}m,mode=1777"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        folder.rmdir()
        not_run("the test of a full disk (root may mount a file system in memory)")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def small_server(server: Server, small_disk: Path, run_folder: Path) -> Iterator[Server]:
    kind = next(kind for kind in servers.installed() if kind.id == server.id)
    wal = {"max_wal_size": "64MB", "min_wal_size": "32MB"}
    fresh = servers.start_server(kind, run=run_folder, settings=wal, under=small_disk)
    yield fresh
    servers.stop_server(fresh)


async def test_a_full_disk_refuses_changes_and_is_got_over(small_server: Server, small_disk: Path) -> None:
    database = await migrated(small_server, "full_disk")
    world = build_world(database.url)
    with psycopg.connect(database.url) as connection:
        mentors = [add_mentor(connection, f"M{number}", chapters=[world.north]) for number in range(20)]
    headers = {"Authorization": f"Bearer {token(world.dag)}"}
    async with (
        served(database, "--no-worker") as (_, url),
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
    ):
        made: dict[Mentor, int] = dict.fromkeys(mentors, 0)
        assert await change(client, mentors[0], made) == 200
        ballast = small_disk / "ballast"
        fill(ballast)
        refusal = 200
        for number in range(_MOST_CHANGES):
            refusal = await change(client, mentors[number % len(mentors)], made)
            if refusal != 200:
                break
        assert refusal == 503
        assert (await client.get(f"/v1/mentors/{mentors[0].mentor_id}/status")).status_code in (200, 503)

        ballast.unlink()
        for mentor in mentors:
            while await change(client, mentor, made) != 200:
                pass
    acknowledged = {mentor.mentor_id: count for mentor, count in made.items()}
    # No worker ran, so that nobody has been told; everything else holds.
    assert [each for each in breaches(database.url, acknowledged) if "told" not in each] == []


async def change(client: httpx.AsyncClient, mentor: Mentor, made: dict[Mentor, int]) -> int:
    """Pause a mentor or bring them back; count it where it was done."""
    move, body = ("reactivate", {}) if made[mentor] % 2 else ("pause", {"reason": "travel"})
    answer = await client.post(f"/v1/mentors/{mentor.mentor_id}/{move}", json=body)
    if answer.status_code == 200:
        made[mentor] += 1
    return answer.status_code


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    with ballast.open("wb", buffering=0) as file:
        for piece in (1 << 20, 1 << 12):
            try:
                while file.write(b"\0" * piece) == piece:
                    pass
            except OSError:
                continue
