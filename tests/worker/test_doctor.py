"""`peerpause doctor` finds what stands in the way of the news, says what to do, and holds its tongue about secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from peerpause.cli import app
from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_oauth import ServiceAccount, new_key
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.doctor import Finding, Verdict, examine
from peerpause.settings import Settings
from tests.cast import World, add_chapter, add_mentor, set_status
from tests.database.acting import Session
from tests.notifications.test_email import MailHost
from tests.servers import Database


async def found(settings: Settings, database: Database) -> Mapping[str, Finding]:
    return {each.check: each for each in await examine(settings, database_url=database.url)}


def make_healthy(owner: Session) -> None:
    """A worker that breathes, a nightly run that went well, and coordinators everywhere."""
    owner.execute("insert into procrastinate.procrastinate_workers default values")
    owner.execute(
        "insert into public.job_runs (job, status, finished_at) values ('certification_expiry', 'succeeded', now())"
    )


async def test_a_healthy_installation_has_nothing_wrong(
    world: World, owner: Session, database: Database, settings: Settings
) -> None:
    make_healthy(owner)
    findings = await found(settings, database)
    assert {each.check: each.message for each in findings.values() if each.verdict is Verdict.WRONG} == {}
    for check in (
        "database",
        "migrations",
        "worker",
        "outbox",
        "deliveries",
        "coordinators",
        "schedule",
        "push",
    ):
        assert findings[check].verdict is Verdict.FINE


async def test_a_database_that_is_away_is_told_without_its_address(database: Database) -> None:
    nowhere = psycopg.conninfo.make_conninfo(database.url, port=1, password="secret-word")
    findings = {each.check: each for each in await examine(Settings(), database_url=nowhere)}
    assert findings["database"].verdict is Verdict.WRONG
    assert "worker" not in findings
    assert "secret-word" not in repr(findings)


async def test_an_empty_database_is_told_to_be_migrated(empty_database: Database) -> None:
    findings = await found(Settings(), empty_database)
    assert findings["migrations"].verdict is Verdict.WRONG
    assert "peerpause migrate up" in (findings["migrations"].advice or "")


async def test_without_a_worker_nobody_is_told(
    world: World, owner: Session, database: Database, settings: Settings
) -> None:
    findings = await found(settings, database)
    assert findings["worker"].verdict is Verdict.WRONG
    assert "peerpause worker" in (findings["worker"].advice or "")


async def test_without_procrastinates_tables_it_says_so(database: Database) -> None:
    findings = await found(Settings(), database)
    assert "Procrastinate" in findings["worker"].message


async def test_chapters_without_a_coordinator_are_named(
    world: World, owner: Session, database: Database, settings: Settings
) -> None:
    lonely = add_chapter(owner, world.organisation_id, "lonely")
    add_chapter(owner, world.organisation_id, "empty, which is no matter")
    add_mentor(owner, "Kim", chapters=[lonely])
    finding = (await found(settings, database))["coordinators"]
    assert finding.verdict is Verdict.WRONG
    assert finding.message.startswith("1 chapters")
    assert str(lonely.chapter_id) in finding.message


async def test_what_is_overdue_or_failed_is_counted(
    world: World, owner: Session, database: Database, settings: Settings
) -> None:
    owner.execute(
        "insert into public.peer_mentor_status_history (organisation_id, mentor_id, new_status, changed_at)"
        " values (%s, %s, 'active', now() - interval '1 hour')",
        (world.organisation_id, world.ada.mentor_id),
    )
    set_status(owner, world.ada, "paused", reason="travel")
    owner.execute(
        "insert into public.notification_deliveries"
        " (organisation_id, history_id, mentor_id, recipient_id, channel, event, changed_at, state, outcome, settled_at)"
        " select organisation_id, id, mentor_id, gen_random_uuid(), 'push', 'mentor_paused', now(), 'failed',"
        " 'failed_after_retries', now() from public.peer_mentor_status_history where new_status = 'paused'"
    )
    findings = await found(settings, database)
    assert findings["outbox"].message == "1 changes and 0 deliveries are overdue."
    assert findings["deliveries"].message.startswith("1 deliveries failed")


async def test_a_nightly_check_that_never_ran_is_missed(
    world: World, owner: Session, database: Database, settings: Settings
) -> None:
    finding = (await found(settings, database))["schedule"]
    assert finding.verdict is Verdict.WRONG
    assert "peerpause expire" in (finding.advice or "")


# Google and the mail host


async def test_what_is_not_set_up_is_a_note(world: World, database: Database) -> None:
    findings = await found(Settings(), database)
    for check in ("push", "mail", "tokens", "service key"):
        assert findings[check].verdict is Verdict.NOTE
        assert findings[check].advice


async def test_refused_credentials_are_wrong(world: World, database: Database, standin: FcmStandin) -> None:
    stranger = ServiceAccount(project_id="peerpause-demo", key=new_key()).to_json(
        token_uri=f"{standin.endpoint}/token"
    )
    settings = Settings(fcm_credentials=SecretStr(json.dumps(stranger)), fcm_endpoint=standin.endpoint)
    finding = (await found(settings, database))["push"]
    assert finding.verdict is Verdict.WRONG
    assert "invalid_grant" in finding.message


async def test_google_being_away_is_not_blamed_on_the_credentials(
    world: World, database: Database, settings: Settings, standin: FcmStandin
) -> None:
    standin.script_token_endpoint([answers.UNAVAILABLE])
    finding = (await found(settings, database))["push"]
    assert "firewall" in (finding.advice or "")


async def test_credentials_nobody_can_read_are_wrong_and_not_repeated(
    world: World, database: Database
) -> None:
    finding = (await found(Settings(fcm_credentials=SecretStr('{"secret-key": 1}')), database))["push"]
    assert finding.verdict is Verdict.WRONG
    assert "secret-key" not in repr(finding)


async def test_a_mail_host_that_answers_is_fine_and_gets_no_mail(world: World, database: Database) -> None:
    host = MailHost()
    await host.start()
    try:
        settings = Settings(smtp_url=SecretStr(f"smtp://127.0.0.1:{host.port}?from=post@example.org"))
        assert (await found(settings, database))["mail"].verdict is Verdict.FINE
    finally:
        await host.stop()
    assert (host.connections, host.mails) == (1, [])


async def test_a_mail_host_that_is_away_is_wrong(world: World, database: Database) -> None:
    settings = Settings(smtp_url=SecretStr("smtp://user:secret-word@127.0.0.1:1?from=post@example.org"))
    finding = (await found(settings, database))["mail"]
    assert finding.verdict is Verdict.WRONG
    assert "secret-word" not in repr(finding)


# The command


@pytest.fixture
def command(database: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("PEERPAUSE_DATABASE_URL", database.url)
    return CliRunner()


def test_the_command_says_what_to_do_and_fails(command: CliRunner) -> None:
    result = command.invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "ok     database: The database answers." in result.output
    assert "WRONG  worker: " in result.output
    assert "→ Run `peerpause migrate up`" in result.output


def test_the_command_answers_json(command: CliRunner) -> None:
    result = command.invoke(app, ["doctor", "--json"])
    answer: dict[str, Any] = json.loads(result.stdout)
    assert answer["ok"] is False
    assert {each["check"] for each in answer["findings"]} >= {
        "database",
        "migrations",
        "worker",
        "push",
        "mail",
    }
    assert {each["verdict"] for each in answer["findings"]} == {"fine", "note", "wrong"}
