"""What was kept long enough goes, what was not stays, and the audit holds."""

from __future__ import annotations

import json

import psycopg
import pytest

from peerpause.cli import retention as command
from peerpause.database.session import Claims, Service, Sessions
from peerpause.errors import InvalidArgument, PermissionDenied
from peerpause.privacy.retention import Retention, RetentionRules
from tests.audit.recording import verify
from tests.cast import World
from tests.database.acting import count, owner_session, person_session
from tests.privacy.conftest import NOTE
from tests.servers import Database


@pytest.fixture
def job(sessions: Sessions) -> Retention:
    return Retention(sessions=sessions, at_once=2)


def wait(database: Database, interval: str) -> None:
    """Let so much time go by, for all that counts dates."""
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "create or replace function peerpause.clock() returns timestamptz language plpgsql stable parallel safe"
            f" set search_path = pg_catalog, pg_temp as $$ begin return now() + interval '{interval}'; end $$".encode()
        )


async def test_nothing_goes_before_its_time(database: Database, world: World, job: Retention) -> None:
    wait(database, "5 months")
    assert [run.counts for run in await job.look()] == [{}, {}, {}]
    assert [run.counts for run in await job.run()] == [{}, {}, {}]


async def test_what_would_go_is_what_goes(database: Database, world: World, job: Retention) -> None:
    with owner_session(database) as owner:
        # What waits, here the mail, stays.
        sent = owner.execute(
            "update public.notification_deliveries set state = 'sent', outcome = 'sent', settled_at = now() where channel = 'push'"
        ).rowcount
        waiting = count(owner, "select count(*) from public.notification_deliveries where state = 'pending'")
        assert sent > 0 < waiting
    wait(database, "25 months")
    seen = {run.organisation_id: run.counts for run in await job.look()}
    done = {run.organisation_id: run.counts for run in await job.run()}
    assert done[world.organisation_id].keys() - {"notices"} == seen[world.organisation_id].keys() - {
        "notices"
    }
    for kind in ("notes", "deliveries", "inbox"):
        assert done[world.organisation_id][kind] == seen[world.organisation_id][kind] > 0
    assert done[None]["devices"] == seen[None]["devices"] == 2
    with owner_session(database) as owner:
        assert count(owner, "select count(*) from public.notification_deliveries") == waiting
        assert count(owner, "select count(*) from public.notifications") == 0
    # A second night finds nothing but the record of this one, which the server's own clock dated.
    assert [dict(run.counts) for run in await job.look()] == [{"runs": 1}] * 3


async def test_notes_go_from_the_history_and_the_audit_holds(
    database: Database, world: World, job: Retention
) -> None:
    wait(database, "25 months")
    await job.run()
    with owner_session(database) as owner:
        rows = owner.execute(
            "select h.note from public.peer_mentor_status_history as h where h.mentor_id = %s and h.note is not null",
            (world.ada.mentor_id,),
        ).fetchall()
        # The pause that still lasts keeps its note; the one that is over does not.
        assert [row["note"] for row in rows] == [NOTE]
        assert count(owner, "select count(*) from public.certification_renewals where note is not null") == 0
        assert count(owner, "select count(*) from public.peer_mentor_status_history") == 7
    assert (await verify(database, world)).ok


async def test_a_run_leaves_a_record_that_admins_see(
    database: Database, world: World, job: Retention
) -> None:
    wait(database, "25 months")
    runs = {run.organisation_id: run for run in await job.run()}
    with person_session(database, world.dag) as dag:
        rows = dag.execute(
            "select id, status, tally from public.job_runs where job = 'retention' and organisation_id is not null"
        ).fetchall()
    (row,) = rows
    mine = runs[world.organisation_id]
    assert (row["id"], row["status"]) == (mine.job_id, "succeeded")
    assert row["tally"] == mine.counts


async def test_each_organisation_goes_by_its_own_rules(
    database: Database, world: World, job: Retention
) -> None:
    dag = Claims(user_id=world.dag.user_id)
    assert await job.rules(dag, world.organisation_id) == RetentionRules()
    await job.decide(dag, world.organisation_id, RetentionRules(notes_months=1, inbox_days=3650))
    assert await job.rules(Service(), world.organisation_id) == RetentionRules(
        notes_months=1, inbox_days=3650
    )
    assert await job.rules(Service(), world.other_organisation_id) == RetentionRules()
    wait(database, "2 months")
    (run,) = await job.run(organisation_id=world.organisation_id)
    assert run.counts == {"notes": 2}


@pytest.mark.parametrize("who", ["ada", "bo", "eva"])
async def test_the_rules_are_for_the_organisations_admins(world: World, job: Retention, who: str) -> None:
    caller = Claims(user_id=getattr(world, who).user_id)
    with pytest.raises(PermissionDenied):
        await job.rules(caller, world.organisation_id)
    with pytest.raises(PermissionDenied):
        await job.decide(caller, world.organisation_id, RetentionRules())


@pytest.mark.parametrize(
    "rules",
    [
        {"notes_months": 0},
        {"deliveries_days": 6},
        {"inbox_days": 29},
        {"runs_days": 3651},
        {"reads_days": 89},
    ],
)
async def test_times_out_of_bounds_are_refused(world: World, job: Retention, rules: dict[str, int]) -> None:
    with pytest.raises(InvalidArgument, match="out of its bounds"):
        await job.decide(Service(), world.organisation_id, RetentionRules(**rules))


async def test_one_run_at_a_time(database: Database, world: World, job: Retention) -> None:
    with owner_session(database) as owner:
        owner.execute("insert into public.job_runs (job) values ('retention')")
        assert [run.job_id for run in await job.run()] == [None, None, None]
        # Silent for ten minutes: it died, and the next one takes over.
        owner.execute(
            "update public.job_runs set heartbeat_at = heartbeat_at - interval '11 minutes' where job = 'retention'"
        )
        assert None not in [run.job_id for run in await job.run()]
        assert count(owner, "select count(*) from public.job_runs where error_code = 'lease_expired'") == 1


async def test_a_failure_is_recorded_and_the_others_go_on(
    database: Database, world: World, job: Retention
) -> None:
    wait(database, "25 months")
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "create function public.stumble() returns trigger language plpgsql as $$ begin raise exception 'stumbled' using errcode = 'XX001'; end $$"
        )
        connection.execute(
            "create trigger stumble before delete on public.notifications for each row execute function public.stumble()"
        )
    runs = {run.organisation_id: run for run in await job.run()}
    assert runs[world.organisation_id].error_code == "database_fault"
    assert runs[None].error_code is None
    with owner_session(database) as owner:
        assert (
            count(owner, "select count(*) from public.job_runs where job = 'retention' and status = 'failed'")
            == 1
        )
        assert count(owner, "select count(*) from public.notifications") > 0


def test_the_command_says_what_would_go(
    database: Database, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    wait(database, "25 months")
    from typer.testing import CliRunner

    answer = CliRunner().invoke(command.app, ["run", "--dry-run", "--json", "--database-url", database.url])
    assert answer.exit_code == 0, answer.output
    seen = {run["organisation_id"]: run["counts"] for run in json.loads(answer.stdout)}
    assert seen[str(world.organisation_id)]["notes"] == 2
    with owner_session(database) as owner:
        assert count(owner, "select count(*) from public.job_runs where job = 'retention'") == 0
