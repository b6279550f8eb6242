"""`peerpause deliveries`: the log without anything personal, and another try for what failed and for nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from peerpause.cli import app
from tests.cast import World, add_mentor, set_status
from tests.database.acting import Session
from tests.notifications.pipeline import deliveries
from tests.servers import Database

STATES = {
    "pending": None,
    "sent": "sent",
    "skipped": "not_configured",
    "failed": "token_retired",
    "expired": "failed_after_retries",
}


@pytest.fixture
def log(world: World, owner: Session, database: Database) -> dict[str, str]:
    """One delivery to Bo in each state, by state, and one that Bo did not want."""
    outcomes: list[tuple[str, str | None]] = [*STATES.items(), ("skipped", "opted_out")]
    ids: dict[str, str] = {}
    for number, (state, outcome) in enumerate(outcomes):
        mentor = add_mentor(owner, f"M{number}", chapters=[world.north])
        set_status(owner, mentor, "paused", reason="travel")
        row = owner.execute(
            "insert into public.notification_deliveries (organisation_id, history_id, mentor_id, recipient_id, channel, event,"
            " changed_at, state, outcome, settled_at, attempts, first_tried_at)"
            " select h.organisation_id, h.id, h.mentor_id, %s, 'push', 'mentor_paused', h.changed_at, %s, %s,"
            " case when %s <> 'pending' then now() end, 9, now() - interval '1 day'"
            " from public.peer_mentor_status_history as h where h.mentor_id = %s and h.new_status = 'paused' returning id",
            (world.bo.user_id, state, outcome, state, mentor.mentor_id),
        ).fetchone()
        assert row is not None
        ids["opted out" if outcome == "opted_out" else state] = str(row["id"])
    return ids


@pytest.fixture
def command(database: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("PEERPAUSE_DATABASE_URL", database.url)
    return CliRunner()


def listed(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    answer: list[dict[str, Any]] = json.loads(result.stdout)
    return answer


def test_it_lists_everything_the_newest_first(command: CliRunner, log: dict[str, str]) -> None:
    found = listed(command.invoke(app, ["deliveries", "list", "--json"]))
    assert {each["id"] for each in found} == set(log.values())
    assert found == sorted(found, key=lambda each: str(each["id"]), reverse=True)


def test_it_lists_by_state_by_mentor_and_not_more_than_asked_for(
    command: CliRunner, log: dict[str, str]
) -> None:
    some = listed(
        command.invoke(app, ["deliveries", "list", "--json", "--state", "failed", "--state", "expired"])
    )
    assert {each["state"] for each in some} == {"failed", "expired"}
    mentor_id = some[0]["mentor_id"]
    assert len(listed(command.invoke(app, ["deliveries", "list", "--json", "--mentor", mentor_id]))) == 1
    assert len(listed(command.invoke(app, ["deliveries", "list", "--json", "--limit", "2"]))) == 2


def test_the_table_holds_whole_ids_and_no_names(command: CliRunner, log: dict[str, str]) -> None:
    result = command.invoke(app, ["deliveries", "list"])
    assert all(each in result.output for each in log.values())
    assert "Hansen" not in result.output


def test_an_empty_log_is_said_to_be(command: CliRunner) -> None:
    assert "No such deliveries." in command.invoke(app, ["deliveries", "list"]).output


@pytest.mark.parametrize(
    "arguments",
    [["list", "--state", "lost"], ["list", "--limit", "0"], ["retry"], ["retry", "no-uuid"]],
    ids=" ".join,
)
def test_wrong_use_is_refused(command: CliRunner, arguments: list[str]) -> None:
    assert command.invoke(app, ["deliveries", *arguments]).exit_code == 2


def test_all_that_failed_starts_over_and_nothing_else(
    command: CliRunner, log: dict[str, str], owner: Session
) -> None:
    result = command.invoke(app, ["deliveries", "retry", "--all-failed", "--json"])
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)["retried"]) == {log["failed"], log["expired"]}
    fresh = [row for row in deliveries(owner) if str(row["id"]) in {log["failed"], log["expired"]}]
    for row in fresh:
        assert (row["state"], row["outcome"], row["attempts"]) == ("pending", None, 0)
        assert (row["first_tried_at"], row["settled_at"]) == (None, None)
    assert {str(row["id"]) for row in deliveries(owner) if row["state"] == "sent"} == {log["sent"]}


def test_by_its_id_a_skipped_one_starts_over_too(command: CliRunner, log: dict[str, str]) -> None:
    result = command.invoke(app, ["deliveries", "retry", log["skipped"], log["failed"]])
    assert result.exit_code == 0
    assert "2 to be tried again." in result.output


@pytest.mark.parametrize("which", ["sent", "pending", "opted out"])
def test_what_was_sent_waits_or_is_not_wanted_is_left_alone(
    command: CliRunner, log: dict[str, str], owner: Session, which: str
) -> None:
    before = deliveries(owner)
    result = command.invoke(app, ["deliveries", "retry", log[which]])
    assert result.exit_code == 1
    assert log[which] in result.output
    assert deliveries(owner) == before
