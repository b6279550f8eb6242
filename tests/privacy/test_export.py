"""Everything about a person comes out, in words they read, and nothing about anybody else."""

from __future__ import annotations

import json
from pathlib import Path

import html5lib
import pytest
from typer.testing import CliRunner

from peerpause.cli import person as command
from peerpause.database.session import Claims, Service
from peerpause.privacy.document import to_html
from peerpause.privacy.personal_data import PersonalData
from peerpause.privacy.texts import DOCUMENT_WORDS
from tests.cast import World
from tests.database.acting import owner_session
from tests.privacy.conftest import CONTACT, NOTE, TOKEN, texts_in
from tests.privacy.scan import places_that_hold
from tests.servers import Database

# Where a person's id stands and the export says so in other words, or where only a secret or a digest is kept.
_TOLD_OTHERWISE = {"device_tokens.token", "idempotency_keys.fingerprint", "idempotency_keys.key"}


async def test_ada_gets_everything_about_herself(world: World, data: PersonalData) -> None:
    mine = await data.export(Claims(user_id=world.ada.user_id), world.ada.user_id)
    filled = {name for name, rows in mine.sections.items() if rows}
    assert filled == {
        "people", "peer_mentors", "device_tokens", "web_sessions", "chapter_memberships", "peer_mentor_status_history",
        "scheduled_status_changes", "certifications", "certification_renewals", "certification_overrides", "mentor_notices",
        "notifications", "notification_deliveries", "idempotency_keys", "sign_in_identities",
    }  # fmt: skip
    said = texts_in(mine.content)
    for each in (
        NOTE,
        "Ada Hansen",
        "ada@example.org",
        CONTACT,
        "I am zebrafish",
        "zebrafish-1001",
        "zebrafish has to wait",
    ):
        assert each.lower() in said


async def test_no_table_that_knows_ada_is_forgotten(
    database: Database, world: World, data: PersonalData
) -> None:
    """Whatever table holds her id, her name or her words has a section."""
    export = await data.export(Service(), world.ada.user_id)
    with owner_session(database) as owner:
        places = places_that_hold(owner, [str(world.ada.user_id), "zebrafish", "ada hansen"])
    tables = {place.split(".")[0] for place in places - _TOLD_OTHERWISE}
    assert tables - export.sections.keys() == set()


async def test_neither_tokens_nor_others_come_along(world: World, data: PersonalData) -> None:
    for person in (world.ada, world.bo):
        said = texts_in((await data.export(Service(), person.user_id)).content)
        assert TOKEN not in said
        others = [each for each in (world.ada, world.bo, world.finn, world.dag) if each is not person]
        for other in others:
            assert other.display_name.lower() not in said
            assert str(other.user_id) not in said


async def test_bo_gets_what_bo_did(world: World, data: PersonalData) -> None:
    export = await data.export(Claims(user_id=world.bo.user_id), world.bo.user_id)
    assert [row["new_status"] for row in export.sections["changes_of_others"]] == ["paused", "paused"]
    assert [row["job"] for row in export.sections["job_runs"]] == ["certification_expiry"]
    assert export.sections["coordinator_roles"][0]["chapter"] == "north"
    assert NOTE not in texts_in(export.content)


async def test_who_did_it_is_said_without_a_name(world: World, data: PersonalData) -> None:
    export = await data.export(Service(), world.ada.mentor_id)
    assert [row["changed_by"] for row in export.sections["peer_mentor_status_history"]] == [
        "system",
        "self",
        "self",
        "other",
    ]


async def test_an_admin_gets_what_the_organisation_holds(world: World, data: PersonalData) -> None:
    export = await data.export(
        Claims(user_id=world.dag.user_id), world.ada.user_id, organisation_id=world.organisation_id
    )
    assert [each["name"] for each in export.content["organisations"]] == ["Hearing Friends"]
    assert export.content["mentor_ids"] == [str(world.ada.mentor_id)]


@pytest.mark.parametrize("language, heading, reason", [
    ("nb", "Alt som er lagret om deg", "Sykdom"),
    ("nn", "Alt som er lagra om deg", "Sjukdom"),
    ("en", "Everything that is kept about you", "Illness"),
])  # fmt: skip
async def test_the_page_is_whole_and_in_the_readers_language(
    world: World, data: PersonalData, language: str, heading: str, reason: str
) -> None:
    export = await data.export(Service(), world.ada.user_id)
    page = to_html(export, language=language)
    html5lib.HTMLParser(strict=True).parse(page)
    assert f'<html lang="{language}">' in page
    assert page.count("<h1>") == 1
    for each in (heading, reason, NOTE, "Ada Hansen"):
        assert each in page
    assert str(world.ada.user_id) not in page


async def test_what_somebody_wrote_is_text_and_not_markup(world: World, data: PersonalData) -> None:
    export = await data.export(Service(), world.ada.user_id)
    export.sections["people"][0]["display_name"] = "<script>alert(1)</script>"  # type: ignore[index]  # a row is a dict
    assert "<script>" not in to_html(export)


@pytest.mark.parametrize("language", DOCUMENT_WORDS)
async def test_everything_on_the_page_has_a_word_of_its_language(
    world: World, data: PersonalData, language: str
) -> None:
    words = DOCUMENT_WORDS[language]
    for person in (world.ada, world.bo, world.dag):
        export = await data.export(Service(), person.user_id)
        assert export.sections.keys() <= words.sections.keys()
        page = to_html(export, language=language)
        tree = html5lib.parse(page, namespaceHTMLElements=False)
        labels = {each.text for each in tree.iter("dt")}
        assert labels <= set(words.fields.values()), labels - set(words.fields.values())


def test_the_command_writes_a_file_that_others_cannot_read(
    database: Database, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "ada.html"
    answer = CliRunner().invoke(
        command.app,
        [
            "export",
            str(world.ada.mentor_id),
            "--format",
            "html",
            "--out",
            str(out),
            "--database-url",
            database.url,
        ],
    )
    assert answer.exit_code == 0, answer.output
    assert NOTE in out.read_text(encoding="utf-8")
    assert out.stat().st_mode & 0o077 == 0


def test_the_commands_erase_and_list(database: Database, world: World, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        answer = CliRunner().invoke(command.app, [*arguments, "--database-url", database.url])
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    assert "Nothing was changed" in run("erase", str(world.ada.mentor_id))
    done = json.loads(run("erase", str(world.ada.mentor_id), "--apply", "--json"))
    assert done["applied"] is True
    listed = tmp_path / "erasures.jsonl"
    run("erasures", "--out", str(listed))
    assert json.loads(listed.read_text())["pseudonym"] == done["pseudonym"]
    assert "1 erasures in the list, of which 0 had come back." in run("reapply-erasures", str(listed))
