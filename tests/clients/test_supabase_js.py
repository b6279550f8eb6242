"""The real @supabase/supabase-js against our server: what an app in a browser sends, and what it is given."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.api.serving import SERVICE_KEY, role_key, serving, token
from tests.cast import World, build_world
from tests.conftest import not_run
from tests.servers import Database

_SCRIPT = Path(__file__).with_name("calls.mjs")
_LIBRARY = _SCRIPT.parents[2] / "node_modules" / "@supabase" / "supabase-js"


@pytest.fixture
def node() -> str:
    node = shutil.which("node")
    if node is None or not _LIBRARY.is_dir():
        not_run("the tests with the real supabase-js (Node.js and npm install)")
    return node


async def test_an_app_gets_what_supabase_would_give_it(node: str, database: Database) -> None:
    world = build_world(database.url)
    async with serving(database) as api:
        told = {
            "url": api.url,
            "anon": role_key("anon"),
            "service": SERVICE_KEY,
            "bo": token(world.bo),
            "boId": str(world.bo.user_id),
            "cy": token(world.cy),
            "ada": str(world.ada.mentor_id),
            "north": str(world.north.chapter_id),
        }
        answers = await _run(node, told)
    _check_reads(answers, world)
    _check_changes(answers)
    _check_refusals(answers)
    _check_functions(answers)


def _check_reads(answers: dict[str, Any], world: World) -> None:
    status = answers["status"]
    assert (status["status"], status["error"]) == (200, None)
    assert [row["mentor_id"] for row in status["data"]] == [str(world.ada.mentor_id)]
    assert answers["statusByGet"]["data"] == status["data"][0]
    assert (answers["counted"]["count"], answers["counted"]["data"]) == (1, None)
    assert answers["chosen"]["data"] == [{"status": "active"}]
    assert answers["filtered"]["data"] == [{"first_name": "Ada", "status": "active"}]
    assert answers["listed"]["data"] == [{"name": "Finn"}]
    assert (answers["ranged"]["data"], answers["ranged"]["count"]) == ([{"first_name": "Finn"}], 2)
    assert answers["ranged"]["status"] == 206
    assert answers["either"]["data"] == [{"first_name": "Ada"}]
    assert answers["roster"]["data"] == [
        {"display_name": person.display_name} for person in (world.ada, world.finn)
    ]


def _check_changes(answers: dict[str, Any]) -> None:
    assert answers["paused"]["data"]["status"] == "paused"
    assert answers["repeated"] == answers["paused"]
    # A lost race: no row, which a client that insists on one row hears as PGRST116.
    assert (answers["outdated"]["data"], answers["outdated"]["error"]) == (None, None)
    assert (answers["none"]["status"], answers["none"]["error"]["code"]) == (406, "PGRST116")
    assert answers["moved"]["data"]["new_status"] == "active"
    assert (answers["device"]["status"], answers["device"]["error"]) == (204, None)


def _check_refusals(answers: dict[str, Any]) -> None:
    expected = {
        "again": (400, "P0001"),
        "forbidden": (403, "42501"),
        "visitor": (401, "42501"),
        "unknown": (404, "PGRST202"),
        "misnamed": (404, "PGRST202"),
        "noOperator": (400, "PGRST100"),
        "noColumn": (400, "42703"),
        "noSuchStatus": (400, "22P02"),
    }
    for name, (status, code) in expected.items():
        error = answers[name]["error"]
        assert (answers[name]["status"], error["code"]) == (status, code), name
        assert set(error) >= {"code", "message", "details", "hint"}


def _check_functions(answers: dict[str, Any]) -> None:
    assert answers["pushed"]["data"]["failure_count"] == 1
    assert answers["expiry"]["data"]["status"] == "succeeded"
    for name, status in (("refused", 401), ("wrong", 400)):
        assert answers[name]["status"] == status
        assert isinstance(answers[name]["body"]["error"], str)


async def _run(node: str, told: dict[str, str]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        node,
        _SCRIPT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(json.dumps(told).encode())
    assert process.returncode == 0, err.decode()
    answers: dict[str, Any] = json.loads(out)
    return answers
