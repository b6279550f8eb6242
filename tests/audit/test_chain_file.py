"""An exported chain proves itself, without the database; and the command line says what does not agree."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from peerpause.audit.chain import BEGINNING, FIELDS, check_chain, link_hash, part_digest
from peerpause.audit.trail import AuditTrail
from peerpause.cli import audit as command
from peerpause.database.session import Claims, Service, Sessions
from peerpause.errors import InvalidArgument, PermissionDenied
from tests.audit.recording import tell
from tests.cast import World, build_world
from tests.database.acting import owner_session, pause, person_session, reactivate
from tests.servers import Database

AWKWARD = 'å "quoted" \\ back\tslash,\n\u2028 line \U0001f600 =1+1'


@pytest.fixture
async def world(database: Database) -> World:
    world = build_world(database.url)
    with person_session(database, world.ada) as ada, person_session(database, world.bo) as bo:
        pause(ada, world.ada, p_note=AWKWARD)
        pause(bo, world.finn, "travel", p_note="=HYPERLINK(1)")
        reactivate(ada, world.ada)
    await tell(database)
    return world


async def exported(database: Database, world: World, *, with_notes: bool = False) -> list[dict[str, Any]]:
    async with Sessions(url=database.url, size=1) as sessions:
        trail = AuditTrail(sessions=sessions)
        links = [link async for link in trail.export(Service(), world.organisation_id, with_notes=with_notes)]
    return [json.loads(json.dumps(link)) for link in links]


def run(database: Database | None, *arguments: str) -> tuple[int, str]:
    where = ["--database-url", database.url] if database else []
    answer = CliRunner().invoke(command.app, [*arguments, *where])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.stdout


@pytest.mark.parametrize("with_notes", [False, True])
async def test_the_export_of_a_whole_record_holds(database: Database, world: World, with_notes: bool) -> None:
    links = await exported(database, world, with_notes=with_notes)
    report = check_chain(links)
    assert (report.findings, report.links) == ((), 5)
    assert {link["note"] for link in links} - {None} == ({AWKWARD, "=HYPERLINK(1)"} if with_notes else set())


async def test_it_holds_after_a_note_and_a_person_were_cleared(database: Database, world: World) -> None:
    with owner_session(database) as owner:
        owner.execute(
            "select peerpause.clear_notes(%s, array(select id from public.peer_mentor_status_history), 'retention')",
            (world.organisation_id,),
        )
        owner.execute(
            "select peerpause.clear_person(%s, %s, gen_random_uuid(), 'erasure')",
            (world.organisation_id, world.ada.user_id),
        )
    links = await exported(database, world, with_notes=True)
    assert check_chain(links).findings == ()
    cleared = next(link for link in links if link["kind"] == "person_cleared")
    row = next(link for link in links if link["entry_id"] == cleared["entry_id"])
    row["person_id"] = str(world.bo.user_id)
    assert [finding.code for finding in check_chain(links).findings] == ["altered"]


_CHANGES: Mapping[str, Any] = {
    "facts": ["x"], "person_id": "6d1f3f2e-8a4b-4a0b-9c55-3d2f0f0f0f0f", "note": "other words", "chained_at": "2020-01-01T00:00:00.000000Z",
    "adopted": True, "kind": "override", "person_digest": "00", "note_digest": "00", "hash": "00" * 32,
}  # fmt: skip


@pytest.mark.parametrize("field", _CHANGES)
async def test_an_altered_line_is_found(database: Database, world: World, field: str) -> None:
    links = await exported(database, world, with_notes=True)
    place = next(number for number, link in enumerate(links) if link["note"] == AWKWARD)
    links[place][field] = _CHANGES[field]
    findings = check_chain(links).findings
    assert findings[0].code == "altered"
    assert findings[0].place == place + 1


async def test_a_line_that_is_gone_or_moved_is_found(database: Database, world: World) -> None:
    links = await exported(database, world)
    assert [finding.code for finding in check_chain(links[:1] + links[2:]).findings] == ["link_missing"]
    assert "link_missing" in {
        finding.code for finding in check_chain([links[1], links[0], *links[2:]]).findings
    }
    assert [finding.code for finding in check_chain(links[1:]).findings] == ["link_missing"]


async def test_an_end_that_was_cut_off_is_found_by_who_wrote_it_down(
    database: Database, world: World
) -> None:
    links = await exported(database, world)
    ends = check_chain(links).ends
    assert check_chain(links[:-1]).findings == ()
    assert [finding.code for finding in check_chain(links[:-1], ends=ends).findings] == ["truncated"]
    # Made anew from the second on, all of it consistent, it does not lead through the end that was written down.
    before = BEGINNING
    for link in links:
        link["facts"] = (
            link["facts"]
            if link["place"] < 2
            else [*link["facts"][:-1], "6d1f3f2e-8a4b-4a0b-9c55-3d2f0f0f0f0f"]
        )
        before = link["hash"] = link_hash(before, link)
    assert check_chain(links).findings == ()
    assert [finding.code for finding in check_chain(links, ends=ends).findings] == ["truncated"]


@pytest.mark.parametrize(
    "link", [{}, {"organisation_id": "x"}, dict.fromkeys(FIELDS), dict.fromkeys(FIELDS, 1)]
)
def test_what_is_no_link_is_refused_with_its_line(link: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="Line 1 is not a link"):
        check_chain([link])


def test_a_digest_depends_on_its_salt() -> None:
    salts = ("6d1f3f2e-8a4b-4a0b-9c55-3d2f0f0f0f0f", "7d1f3f2e-8a4b-4a0b-9c55-3d2f0f0f0f0f")
    assert len({part_digest(salt, "illness") for salt in salts}) == 2


@pytest.mark.parametrize("who", ["ada", "bo", "eva"])
async def test_the_audit_is_for_the_organisations_admins(database: Database, world: World, who: str) -> None:
    caller = Claims(user_id=getattr(world, who).user_id)
    async with Sessions(url=database.url, size=1) as sessions:
        trail = AuditTrail(sessions=sessions)
        with pytest.raises(PermissionDenied):
            await trail.verify(caller, world.organisation_id)
        with pytest.raises(PermissionDenied):
            _ = [link async for link in trail.export(caller, world.organisation_id)]
        own = {end.organisation_id for end in await trail.ends(caller)}
        assert own == ({world.other_organisation_id} if who == "eva" else set())


async def test_an_admin_verifies_and_exports_without_notes(database: Database, world: World) -> None:
    dag = Claims(user_id=world.dag.user_id)
    async with Sessions(url=database.url, size=1) as sessions:
        trail = AuditTrail(sessions=sessions)
        report = await trail.verify(dag, world.organisation_id)
        assert (report.ok, report.links) == (True, 5)
        links = [link async for link in trail.export(dag, world.organisation_id)]
        assert {link["note"] for link in links} == {None}
        with pytest.raises(PermissionDenied):
            _ = [link async for link in trail.export(dag, world.organisation_id, with_notes=True)]


def test_the_commands_work_together(database: Database, world: World, tmp_path: Path) -> None:
    heads, links, table = (str(tmp_path / name) for name in ("heads.jsonl", "audit.jsonl", "audit.csv"))
    assert run(database, "head", "--out", heads)[0] == 0
    code, told = run(database, "verify", "--ends", heads)
    assert (code, told.count("the chain holds")) == (0, 2)
    assert run(database, "export", "--out", links, "--with-notes")[0] == 0
    assert run(None, "check", links, "--ends", heads)[0] == 0
    assert run(database, "export", "--format", "csv", "--out", table, "--with-notes")[0] == 0
    with Path(table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    # No spreadsheet takes a note for a formula.
    assert "'=HYPERLINK(1)" in {row["note"] for row in rows}

    with owner_session(database) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(
            "update public.peer_mentor_status_history set reason = 'personal' where reason = 'travel'"
        )
    code, told = run(database, "verify", "--json")
    assert code == 1
    found = [each["findings"] for each in json.loads(told)["organisations"] if each["findings"]]
    assert [[finding["code"] for finding in findings] for findings in found] == [["altered"]]


def test_cutting_the_chain_off_with_its_head_shows_in_the_ends_kept_elsewhere(
    database: Database, world: World, tmp_path: Path
) -> None:
    heads = str(tmp_path / "heads.jsonl")
    run(database, "head", "--out", heads)
    with owner_session(database) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(
            "delete from peerpause.audit_chain where organisation_id = %s and place = 5",
            (world.organisation_id,),
        )
        owner.execute(
            "update peerpause.audit_heads as a set place = c.place, hash = c.hash from peerpause.audit_chain as c"
            " where c.organisation_id = a.organisation_id and c.place = 4"
        )
        owner.execute(
            "delete from public.peer_mentor_status_history where mentor_id = %s and reason is null and previous_status is not null",
            (world.ada.mentor_id,),
        )
        owner.execute(
            "update public.peer_mentors set status = 'paused', pause_at = now(), pause_reason = 'illness' where id = %s",
            (world.ada.mentor_id,),
        )
    assert run(database, "verify", "--organisation", str(world.organisation_id))[0] == 0
    code, told = run(database, "verify", "--ends", heads)
    assert code == 1
    assert "cut off or made anew before place 5" in told


def test_what_was_recorded_before_the_chain_is_adopted_by_hand(database: Database, world: World) -> None:
    with owner_session(database) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute("delete from peerpause.audit_chain")
        owner.execute("delete from peerpause.audit_heads")
    assert run(database, "verify")[0] == 1
    code, told = run(database, "adopt")
    assert (code, told) == (0, "6 rows were adopted.\n")
    code, told = run(database, "verify")
    assert code == 0
    assert "(5 adopted)" in told
