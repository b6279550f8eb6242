"""The import against real databases: it does what the plan says, all of it or nothing, and nothing the second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from peerpause.directory import importing
from peerpause.directory.csv_files import ImportFile
from peerpause.directory.external_ids import mentor_id, stand_in_user_id
from peerpause.directory.findings import Problem
from peerpause.directory.importing import apply_import, plan_import
from peerpause.directory.plan import Count, ImportPlan, ImportReport, Part
from peerpause.errors import ImportRejected, MigrationError, PermissionDenied, Unavailable
from tests.servers import Database

Connection = psycopg.AsyncConnection[dict[str, Any]]

_TABLES = (
    "organisations",
    "chapters",
    "people",
    "peer_mentors",
    "chapter_memberships",
    "coordinator_roles",
    "organisation_admins",
    "certifications",
    "peer_mentor_status_history",
)
_ORGANISATIONS = "organisation;name;required_certificates\nlag;Laget;peer_mentor\n"
_CHAPTERS = "organisation;chapter;name\n" + "".join(
    f"lag;{code};{code.title()}\n" for code in ("north", "south", "east", "west", "islands", "inland")
)
_HEADER = "organisation;person;role;first_name;display_name;email;chapters;status;paused_since;pause_reason;user_id\n"
_PEOPLE = (
    "\ufeff" + _HEADER + "lag;ada;mentor;Ada;Ada Prøve;ada@lag.example;north|south;;;;\r\n"
    "lag;finn;likeperson;Finn;Finn Ås;;north;pauset;1.11.2026;travel;\r\n"
    "lag;greta;mentor;Greta;Greta Øye;;south;inaktiv;;;\r\n"
    "lag;bo;koordinator;Bo;Bo Prøve;bo@lag.example;north;;;;\r\n"
    "lag;ada;coordinator;Ada;Ada Prøve;;south;;;;\r\n"
    "lag;dag;admin;Dag;Dag Prøve;;;;;;\r\n"
    "\r\n;;;;;;;;;;\r\n"
)
_CERTIFICATES = "organisasjon;medlemsnummer;type;utstedt;utløper\nlag;ada;peer_mentor;01.02.2025;01.02.2027\n"


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(
        database.url, autocommit=True, row_factory=dict_row
    ) as opened:
        yield opened


async def test_it_writes_what_semicolons_a_byte_order_mark_and_norwegian_dates_say(
    connection: Connection,
) -> None:
    report = await _import(connection, _PEOPLE, _ORGANISATIONS, _CERTIFICATES, _CHAPTERS)

    assert report.counts == {
        Part.ORGANISATIONS: Count(created=1),
        Part.CHAPTERS: Count(created=6),
        Part.PEOPLE: Count(created=5),
        Part.MENTORS: Count(created=3),
        Part.MEMBERSHIPS: Count(created=4),
        Part.COORDINATORS: Count(created=2),
        Part.ADMINS: Count(created=1),
        Part.CERTIFICATES: Count(created=1),
    }
    mentors = {row["external_id"]: row for row in await _all(connection, "peer_mentors")}
    assert mentors["ada"]["id"] == mentor_id("lag", "ada")
    assert mentors["ada"]["user_id"] == stand_in_user_id("lag", "ada")
    assert (mentors["ada"]["display_name"], mentors["ada"]["status"]) == ("Ada Prøve", "active")
    assert (mentors["finn"]["status"], mentors["finn"]["pause_reason"]) == ("paused", "travel")
    assert mentors["finn"]["pause_at"].isoformat() == "2026-10-31T23:00:00+00:00"
    assert mentors["greta"]["status"] == "inactive"
    history = await _all(connection, "peer_mentor_status_history")
    assert sorted((row["previous_status"], row["new_status"], row["changed_by"]) for row in history) == [
        (None, "active", None),
        (None, "inactive", None),
        (None, "paused", None),
    ]
    (certificate,) = await _all(connection, "certifications")
    assert (certificate["mentor_id"], str(certificate["expires_on"])) == (mentors["ada"]["id"], "2027-02-01")


async def test_the_same_files_change_nothing_the_second_time(connection: Connection) -> None:
    files = (_ORGANISATIONS, _CHAPTERS, _PEOPLE, _CERTIFICATES)
    await _import(connection, *files)
    before = await _snapshot(connection)

    report = await _import(connection, *files)

    assert report.rows_written == 0
    assert sum(count.unchanged for count in report.counts.values()) == 23
    assert await _snapshot(connection) == before


async def test_a_dry_run_changes_nothing_and_leaves_no_transaction_open(connection: Connection) -> None:
    plan = await _plan(connection, _ORGANISATIONS, _CHAPTERS, _PEOPLE)

    assert plan.rows_to_write > 0
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert await _snapshot(connection) == {table: [] for table in _TABLES}


async def test_when_the_last_batch_fails_nothing_at_all_was_written(connection: Connection) -> None:
    await connection.execute(
        b"alter table certifications add constraint no_new_ones check (expires_on is null)"
    )
    told: list[tuple[str, int, int]] = []
    plan = await _plan(connection, _ORGANISATIONS, _CHAPTERS, _PEOPLE, _CERTIFICATES)

    with pytest.raises(ImportRejected) as caught:
        await apply_import(
            connection, plan, progress=lambda what, done, total: told.append((what, done, total))
        )

    (finding,) = caught.value.detail["findings"]
    assert finding["problem"] == Problem.REFUSED_BY_DATABASE
    assert "no_new_ones" in finding["message"]
    assert told[-1] == ("certificates", plan.rows_to_write - 1, plan.rows_to_write)
    assert await _snapshot(connection) == {table: [] for table in _TABLES}


async def test_it_writes_in_batches_and_tells_how_far_it_is(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH", 2)
    told: list[tuple[str, int, int]] = []
    plan = await _plan(connection, _ORGANISATIONS, _CHAPTERS)

    await apply_import(connection, plan, progress=lambda what, done, total: told.append((what, done, total)))

    assert [done for _, done, _ in told] == [0, 1, 1, 3, 5, 7]
    assert {total for _, _, total in told} == {7}
    assert len(await _all(connection, "chapters")) == 6


async def test_a_plan_with_findings_is_refused_and_nothing_is_written(connection: Connection) -> None:
    plan = await _plan(
        connection, _ORGANISATIONS, _CHAPTERS, _HEADER + "lag;ada;mentor;Ada;Ada P;;nowhere;;;;\n"
    )

    with pytest.raises(ImportRejected) as caught:
        await apply_import(connection, plan)

    assert [finding["problem"] for finding in caught.value.detail["findings"]] == ["unknown_chapter"]
    assert await _snapshot(connection) == {table: [] for table in _TABLES}


async def test_a_file_may_come_alone_and_refer_to_what_the_database_has(connection: Connection) -> None:
    await _import(connection, _ORGANISATIONS)
    await _import(connection, _CHAPTERS)
    await _import(connection, _PEOPLE)

    report = await _import(connection, _CERTIFICATES)

    assert report.counts[Part.CERTIFICATES] == Count(created=1)


async def test_rows_that_came_in_another_way_are_named_by_their_id(connection: Connection) -> None:
    await connection.execute(b"insert into organisations (name) values ('Older')")
    organisation = (await _all(connection, "organisations"))[0]["id"]
    await connection.execute(
        b"insert into chapters (organisation_id, name) values (%s, 'Older chapter')", [organisation]
    )
    await connection.execute(
        b"insert into peer_mentors (organisation_id, display_name, first_name) values (%s, 'Ada P', 'Ada')",
        [organisation],
    )
    chapter = (await _all(connection, "chapters"))[0]["id"]
    mentor = (await _all(connection, "peer_mentors"))[0]["id"]

    report = await _import(
        connection, _HEADER + f"{organisation};{mentor};mentor;Ada;Ada Prøve;;{chapter};;;;\n"
    )

    assert report.counts[Part.MENTORS] == Count(changed=1)
    assert report.counts[Part.MEMBERSHIPS] == Count(created=1)
    (row,) = await _all(connection, "peer_mentors")
    assert (row["id"], row["display_name"]) == (mentor, "Ada Prøve")


async def test_what_a_file_says_anew_is_changed_and_an_empty_cell_changes_nothing(
    connection: Connection,
) -> None:
    await _import(connection, _ORGANISATIONS, _CHAPTERS, _PEOPLE, _CERTIFICATES)

    report = await _import(
        connection,
        "organisation,name,role_word,required_certificates\nlag,Laget,likeperson,\n",
        "organisation,chapter,name\nlag,north,Nord\n",
        _HEADER + "lag;ada;mentor;Ada;Ada Annerledes;;;;;;\n"
        "lag;bo;coordinator;Bo;Bo Prøve;;north;inactive;;;\n"
        "lag;ada;coordinator;Ada;Ada Annerledes;;south;;;;\n",
        "organisation,person,issued_on,expires_on\nlag,ada,2025-02-01,2027-02-28\n",
    )

    assert report.counts == {
        Part.ORGANISATIONS: Count(changed=1),
        Part.CHAPTERS: Count(changed=1),
        Part.PEOPLE: Count(changed=1, unchanged=1),
        Part.MENTORS: Count(changed=1),
        Part.MEMBERSHIPS: Count(),
        Part.COORDINATORS: Count(changed=1, unchanged=1),
        Part.ADMINS: Count(),
        Part.CERTIFICATES: Count(changed=1),
    }
    (organisation,) = await _all(connection, "organisations")
    assert organisation["role_word"] == "likeperson"
    assert organisation["required_certification_kinds"] == ["peer_mentor"]
    people = {row["first_name"]: row for row in await _all(connection, "people")}
    assert people["Ada"]["email"] == "ada@lag.example"
    assert len(await _all(connection, "chapter_memberships")) == 4
    assert [str(row["expires_on"]) for row in await _all(connection, "certifications")] == ["2027-02-28"]


async def test_required_certificates_end_only_when_the_file_says_so(connection: Connection) -> None:
    await _import(connection, _ORGANISATIONS)
    await _import(connection, "organisation,name,required_certificates\nlag,Laget,none\n")

    assert (await _all(connection, "organisations"))[0]["required_certification_kinds"] == []


async def test_an_import_never_changes_the_status_of_somebody_who_is_here(connection: Connection) -> None:
    await _import(connection, _ORGANISATIONS, _CHAPTERS, _PEOPLE)

    report = await _import(
        connection,
        _HEADER
        + "lag;ada;mentor;Ada;Ada Prøve;;;paused;;;\n"
        + "lag;finn;mentor;Finn;Finn Ås;;;active;;;\n"
        + "lag;greta;mentor;Greta;Greta Øye;;;inactive;;;\n",
    )

    assert [(finding.at.line, finding.problem) for finding in report.notices] == [
        (2, Problem.STATUS_KEPT),
        (3, Problem.STATUS_KEPT),
    ]
    assert report.rows_written == 0


async def test_a_status_that_cannot_be_reached_is_refused(connection: Connection) -> None:
    await _import(connection, _ORGANISATIONS, _CHAPTERS, _PEOPLE)

    plan = await _plan(
        connection,
        _HEADER
        + "lag;finn;mentor;Finn;Finn Ås;;;inactive;;;\n"
        + "lag;greta;mentor;Greta;Greta Øye;;;active;;;\n",
    )

    assert [(finding.at.line, finding.problem) for finding in plan.blockers] == [
        (2, Problem.ILLEGAL_MOVE),
        (3, Problem.ILLEGAL_MOVE),
    ]


async def test_a_mentor_in_five_chapters_cannot_be_brought_into_a_sixth(connection: Connection) -> None:
    await _import(
        connection,
        _ORGANISATIONS,
        _CHAPTERS,
        _HEADER + "lag;ada;mentor;Ada;Ada P;;north|south|east|west|islands;;;;\n",
    )

    plan = await _plan(connection, _HEADER + "lag;ada;mentor;Ada;Ada P;;inland|north;;;;\n")

    assert [finding.problem for finding in plan.blockers] == [Problem.TOO_MANY_CHAPTERS]


async def test_what_has_changed_since_the_plan_counts(connection: Connection) -> None:
    await _import(connection, _ORGANISATIONS, _CHAPTERS)
    people = _HEADER + "lag;ada;mentor;Ada;Ada P;;north;active;;;\n"
    plan = await _plan(connection, people)
    await _import(connection, people.replace("active", "inactive"))

    with pytest.raises(ImportRejected) as caught:
        await apply_import(connection, plan)

    assert [finding["problem"] for finding in caught.value.detail["findings"]] == ["illegal_move"]


async def test_two_imports_at_once_wait_for_each_other(connection: Connection, database: Database) -> None:
    files = (_ORGANISATIONS, _CHAPTERS, _PEOPLE, _CERTIFICATES)
    first_plan = await _plan(connection, *files)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as other:
        second_plan = await plan_import(other, _files(files))
        async with connection.transaction():
            first = await apply_import(connection, first_plan)
            second = asyncio.create_task(apply_import(other, second_plan))
            await _until_it_waits(connection, other.info.backend_pid)
        assert first.rows_written == 23
        assert (await second).rows_written == 0


async def test_an_account_takes_over_what_its_stand_in_held(connection: Connection) -> None:
    await _import(connection, _ORGANISATIONS, _CHAPTERS, _PEOPLE)
    ada, dag = uuid4(), uuid4()
    linked = _HEADER + (
        f"lag;ada;mentor;Ada;Ada Prøve;ada@lag.example;;;;;{ada}\n"
        "lag;ada;coordinator;Ada;Ada Prøve;;south;;;;\n"
        f"lag;dag;admin;Dag;Dag Prøve;dag@lag.example;;;;;{dag}\n"
    )

    first = await _import(connection, linked)
    again = await _import(connection, linked)

    assert first.counts[Part.MENTORS] == first.counts[Part.COORDINATORS] == Count(changed=1)
    assert again.rows_written == 0
    mentors = {row["external_id"]: row["user_id"] for row in await _all(connection, "peer_mentors")}
    assert mentors["ada"] == ada
    assert await _holders(connection, "coordinator_roles") == {ada, stand_in_user_id("lag", "bo")}
    assert await _holders(connection, "organisation_admins") == {dag}


async def test_an_account_once_named_is_found_again_without_its_id(connection: Connection) -> None:
    bo = uuid4()
    await _import(
        connection,
        _ORGANISATIONS,
        _CHAPTERS,
        _HEADER + f"lag;bo;coordinator;Bo;Bo Prøve;office@lag.example;north;;;;{bo}\n",
    )

    await _import(
        connection,
        _HEADER + "lag;bo;coordinator;Bo;Bo Prøve;Office@lag.example;north;;;;\n"
        "lag;cy;coordinator;Cy;Cy Prøve;office@lag.example;north;;;;\n",
    )

    assert await _holders(connection, "coordinator_roles") == {bo, stand_in_user_id("lag", "cy")}


async def test_a_stand_in_left_beside_the_account_loses_its_role(connection: Connection) -> None:
    await _import(connection, _ORGANISATIONS, _CHAPTERS, _PEOPLE)
    bo = uuid4()
    (north,) = [row for row in await _all(connection, "chapters") if row["external_id"] == "north"]
    await connection.execute(
        b"insert into coordinator_roles (organisation_id, chapter_id, user_id) values (%s, %s, %s)",
        [north["organisation_id"], north["id"], bo],
    )

    linked = _HEADER + f"lag;bo;coordinator;Bo;Bo Prøve;;north;;;;{bo}\n"
    await _import(connection, linked)

    active = {row["user_id"] for row in await _all(connection, "coordinator_roles") if row["active"]}
    assert bo in active
    assert stand_in_user_id("lag", "bo") not in active
    assert (await _import(connection, linked)).rows_written == 0


async def test_one_account_may_be_a_mentor_in_two_organisations(connection: Connection) -> None:
    account = uuid4()

    report = await _import(
        connection,
        "organisation,name\nlag,Laget\nother,Det andre\n",
        _HEADER + f"lag;ada;mentor;Ada;Ada P;;;;;;{account}\nother;7;mentor;Ada;Ada P;;;;;;{account}\n",
    )

    assert report.counts[Part.PEOPLE] == Count(created=1)
    assert report.counts[Part.MENTORS] == Count(created=2)


async def test_it_says_so_when_the_migrations_are_missing(empty_database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(empty_database.url) as connection:
        with pytest.raises(MigrationError) as caught:
            await plan_import(connection, _files((_ORGANISATIONS,)))
    assert caught.value.hint == "Run: peerpause migrate up"


@pytest.mark.parametrize("role", ["anon", "authenticated"])
async def test_it_refuses_somebody_who_sees_only_some_of_the_rows(database: Database, role: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.url_as(role, sub=uuid4())) as connection:
        with pytest.raises(PermissionDenied):
            await plan_import(connection, _files((_ORGANISATIONS,)))


async def test_it_refuses_an_owner_from_whom_row_security_hides_rows(
    connection: Connection, database: Database
) -> None:
    # A plan that does not see the mentors who are here would try to create them again.
    role = f"clerk_{uuid4().hex}"
    await connection.execute(f"create role {role} login".encode())
    try:
        await connection.execute(
            f"grant usage on schema public, peerpause to {role}; grant select on all tables in schema public to {role};"
            f" grant execute on function peerpause.clock() to {role}".encode()
        )
        async with await psycopg.AsyncConnection.connect(database.url_as(role)) as clerk:
            with pytest.raises(PermissionDenied, match="only some of the rows"):
                await plan_import(clerk, _files((_ORGANISATIONS,)))
    finally:
        await connection.execute(f"drop owned by {role}; drop role {role}".encode())


async def test_a_connection_that_breaks_leaves_nothing_behind(
    connection: Connection, database: Database
) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as other:
        plan = await plan_import(other, _files((_ORGANISATIONS, _CHAPTERS)))
        victim = other.info.backend_pid

        def end_the_connection(what: str, done: int, total: int) -> None:
            if what == Part.CHAPTERS:
                with psycopg.connect(database.url) as killer:
                    killer.execute(b"select pg_terminate_backend(%s, 5000)", [victim])

        with pytest.raises(Unavailable):
            await apply_import(other, plan, progress=end_the_connection)

    assert await _all(connection, "organisations") == []


def _files(texts: tuple[str, ...]) -> list[ImportFile]:
    return [ImportFile(f"{number}.csv", text.encode()) for number, text in enumerate(texts)]


async def _plan(connection: Connection, *texts: str) -> ImportPlan:
    return await plan_import(connection, _files(texts))


async def _import(connection: Connection, *texts: str) -> ImportReport:
    plan = await _plan(connection, *texts)
    assert plan.blockers == ()
    report = await apply_import(connection, plan)
    assert report.counts == plan.counts
    return report


async def _all(connection: Connection, table: str) -> list[dict[str, Any]]:
    cursor = await connection.execute(
        psycopg.sql.SQL("select * from {} as t order by t::text").format(psycopg.sql.Identifier(table))
    )
    return await cursor.fetchall()


async def _snapshot(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {table: await _all(connection, table) for table in _TABLES}


async def _holders(connection: Connection, table: str) -> set[UUID]:
    return {row["user_id"] for row in await _all(connection, table)}


async def _until_it_waits(connection: Connection, backend: int) -> None:
    while True:
        cursor = await connection.execute(b"select cardinality(pg_blocking_pids(%s)) as waits_for", [backend])
        row = await cursor.fetchone()
        if row and row["waits_for"]:
            return
