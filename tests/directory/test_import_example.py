"""The example set: what it promises to hold, on the day it was made and on any later one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path

import psycopg
import pytest

from peerpause.demo import synthetic
from peerpause.demo.synthetic import (
    CHAPTER_WITHOUT_COORDINATOR,
    EXAMPLE_DAY,
    LAPSED_MENTOR,
    LEADING_MENTOR,
    write_example,
)
from peerpause.directory.csv_files import ImportFile
from peerpause.directory.importing import apply_import, plan_import
from peerpause.directory.lines import CertificateLine, ImportLines, PersonLine, Role
from peerpause.directory.reading import read_files
from peerpause.status.rules import MentorStatus
from tests.servers import Database

_PACKAGED = resources.files("peerpause.demo") / "data"
_TODAY = date(2028, 2, 29)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> ImportLines:
    lines, findings = read_files(
        ImportFile(path.name, path.read_bytes())
        for path in write_example(tmp_path_factory.mktemp("example"), _TODAY)
    )
    assert findings == ()
    return lines


def test_the_packaged_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    for path in write_example(tmp_path, EXAMPLE_DAY):
        assert path.read_bytes() == (_PACKAGED / path.name).read_bytes()


def test_the_generator_runs_from_the_command_line(tmp_path: Path) -> None:
    synthetic.main([str(tmp_path), _TODAY.isoformat()])

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "certificates.csv",
        "chapters.csv",
        "organisations.csv",
        "people.csv",
    ]
    with pytest.raises(SystemExit, match="DIR"):
        synthetic.main([])


def test_it_has_three_organisations_twelve_chapters_and_two_hundred_mentors(example: ImportLines) -> None:
    mentors = list(_mentors(example))

    assert len(example.organisations) == 3
    assert len(example.chapters) >= 12
    assert len(mentors) >= 200
    assert Counter(line.organisation for line in mentors).keys() == {
        line.organisation for line in example.organisations
    }
    assert max(len(line.chapters) for line in mentors) == 5
    assert sum(1 for line in mentors if len(line.chapters) > 1) > 30
    assert {line.status for line in mentors} == {None, MentorStatus.PAUSED, MentorStatus.INACTIVE}


def test_every_chapter_but_one_has_a_coordinator_and_some_coordinators_have_several(
    example: ImportLines,
) -> None:
    coordinators = [
        line
        for line in example.people
        if line.role is Role.COORDINATOR and line.status is not MentorStatus.INACTIVE
    ]
    covered = {(line.organisation, chapter) for line in coordinators for chapter in line.chapters}

    chapters = {(line.organisation, line.chapter) for line in example.chapters}
    assert chapters - covered == {CHAPTER_WITHOUT_COORDINATOR}
    assert any(len(line.chapters) > 1 for line in coordinators)
    admins = {line.organisation for line in example.people if line.role is Role.ADMIN}
    assert admins == {line.organisation for line in example.organisations}


def test_certificates_have_lapsed_lapse_soon_and_hold(example: ImportLines) -> None:
    last_days = list(_last_days(example).values())

    assert sum(1 for last in last_days if last < _TODAY) >= 8
    assert sum(1 for last in last_days if _TODAY <= last <= _TODAY + timedelta(days=60)) >= 5
    assert sum(1 for last in last_days if last > _TODAY + timedelta(days=60)) >= 100
    assert _TODAY in last_days


def test_the_people_of_the_story_are_as_promised(example: ImportLines) -> None:
    mentors = {(line.organisation, line.person): line for line in _mentors(example)}
    last_days = _last_days(example)

    leading, lapsed = mentors[LEADING_MENTOR], mentors[LAPSED_MENTOR]
    assert (leading.status, lapsed.status) == (None, None)
    assert len(leading.chapters) == 2
    assert last_days[LEADING_MENTOR] > _TODAY
    assert last_days[LAPSED_MENTOR] < _TODAY


def test_nobody_could_be_taken_for_a_real_person(example: ImportLines) -> None:
    for line in example.people:
        assert line.email is not None
        assert line.email.endswith(".example")
        assert line.display_name.removeprefix(f"{line.first_name} ") in synthetic._FAMILY_NAMES
    letters = set("".join(line.display_name.lower() for line in example.people))
    assert letters >= set("æøåá") - {"æ"}
    assert "æ" in "".join(line.name.lower() for line in example.chapters)


async def test_the_example_of_today_imports_without_a_remark_and_only_once(
    database: Database, tmp_path: Path
) -> None:
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        today = await (await connection.execute("select current_date")).fetchone()
        assert today is not None
        files = [ImportFile(path.name, path.read_bytes()) for path in write_example(tmp_path, today[0])]

        plan = await plan_import(connection, files)
        report = await apply_import(connection, plan)
        again = await apply_import(connection, plan)

    assert plan.findings == ()
    assert report.rows_written == plan.rows_to_write > 900
    assert again.rows_written == 0


async def test_the_packaged_example_imports_on_any_later_day(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        later = datetime(2031, 5, 1, 12)
        connection.execute(
            "create or replace function peerpause.clock() returns timestamptz language sql stable "
            f"as $$ select timestamptz '{later.isoformat()}Z' $$"
        )
    files = [
        ImportFile(entry.name, entry.read_bytes())
        for entry in _PACKAGED.iterdir()
        if entry.name.endswith(".csv")
    ]
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        plan = await plan_import(connection, files)

    assert plan.blockers == ()


def _mentors(example: ImportLines) -> Iterator[PersonLine]:
    return (line for line in example.people if line.role is Role.MENTOR)


def _last_days(example: ImportLines) -> dict[tuple[str, str], date]:
    def last(line: CertificateLine) -> date:
        return line.expires_on or date.max

    return {(line.organisation, line.person): last(line) for line in sorted(example.certificates, key=last)}
