"""Each thing that can be wrong with a file is told with its place, all of them at once, and without repeating personal data."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from peerpause.directory.csv_files import ImportFile
from peerpause.directory.drawing import draw_plan
from peerpause.directory.existing import Existing
from peerpause.directory.findings import Finding, Problem
from peerpause.directory.plan import ImportPlan
from peerpause.directory.reading import read_files
from peerpause.status.rules import ReasonCode

_ORGANISATIONS = "organisation,name\nlag,Laget\nother,Det andre\n"
_CHAPTERS = "organisation,chapter,name\n" + "".join(
    f"lag,{code},{code.title()}\n" for code in ("north", "south", "east", "west", "islands", "inland")
)
_PEOPLE = "organisation,person,role,first_name,display_name,email,chapters,status,paused_since,pause_reason,expected_return,user_id\n"
_CERTIFICATES = "organisation,person,kind,issued_on,expires_on\n"
_ADA = "lag,ada,mentor,Ada,Ada Prøve,ada@lag.example,north,,,,,\n"
_ACCOUNT = "3f1d7a54-7f4e-4c0e-9d53-0a6f5f6c1010"


def _plan(**files: str) -> ImportPlan:
    lines, found = read_files(ImportFile(f"{name}.csv", text.encode()) for name, text in files.items())
    return draw_plan(lines, found, Existing(now=datetime(2026, 11, 20, 23, 30, tzinfo=UTC)))


def _people(text: str) -> ImportPlan:
    return _plan(organisations=_ORGANISATIONS, chapters=_CHAPTERS, people=_PEOPLE + text)


def _told(plan: ImportPlan) -> list[tuple[str, int, str | None, Problem]]:
    return [(finding.at.file, finding.at.line, finding.column, finding.problem) for finding in plan.findings]


def test_a_sound_import_has_no_findings() -> None:
    assert _told(_people(_ADA)) == []


def test_it_tells_every_bad_cell_of_every_line_not_only_the_first() -> None:
    plan = _people(
        "lag,ada,chief,,Ada Prøve,no address,,,31.02.2026,boredom,2026-13-01,7\n"
        "lag,bo,coordinator,Bo,=cmd(),bo@lag.example,north,,,,,\n"
    )

    assert _told(plan) == [
        ("people.csv", 2, "role", Problem.BAD_VALUE),
        ("people.csv", 2, "first_name", Problem.MISSING_VALUE),
        ("people.csv", 2, "email", Problem.BAD_VALUE),
        ("people.csv", 2, "paused_since", Problem.BAD_DATE),
        ("people.csv", 2, "pause_reason", Problem.BAD_VALUE),
        ("people.csv", 2, "expected_return", Problem.BAD_DATE),
        ("people.csv", 2, "user_id", Problem.BAD_VALUE),
        ("people.csv", 3, "display_name", Problem.FORMULA),
    ]


@pytest.mark.parametrize(
    "line, column, problem",
    [
        ("lag,,mentor,Ada,Ada P,,,,,,,", "person", Problem.MISSING_VALUE),
        ("lag,a|b,mentor,Ada,Ada P,,,,,,,", "person", Problem.BAD_VALUE),
        ('lag,ada,mentor,"A\nda",Ada P,,,,,,,', "first_name", Problem.BAD_TEXT),
        (f"lag,ada,mentor,{'A' * 201},Ada P,,,,,,,", "first_name", Problem.BAD_TEXT),
        ("lag,ada,mentor,Ada,+Ada,,,,,,,", "display_name", Problem.FORMULA),
        ("lag,ada,mentor,Ada,Ada P,@lag.example,,,,,,", "email", Problem.BAD_VALUE),
        ("lag,ada,mentor,Ada,Ada P,,north|nroth,,,,,", "chapters", Problem.UNKNOWN_CHAPTER),
        ("none,ada,mentor,Ada,Ada P,,,,,,,", "organisation", Problem.UNKNOWN_ORGANISATION),
        (
            "lag,ada,mentor,Ada,Ada P,,north|south|east|west|islands|inland,,,,,",
            "chapters",
            Problem.TOO_MANY_CHAPTERS,
        ),
        ("lag,bo,coordinator,Bo,Bo P,,,,,,,", "chapters", Problem.MISSING_VALUE),
        ("lag,bo,coordinator,Bo,Bo P,,north,paused,,,,", "status", Problem.NOT_FOR_ROLE),
        ("lag,dag,admin,Dag,Dag P,,north,,,,,", "chapters", Problem.NOT_FOR_ROLE),
        ("lag,ada,mentor,Ada,Ada P,,,active,,travel,,", "pause_reason", Problem.NOT_FOR_ROLE),
        ("lag,ada,mentor,Ada,Ada P,,,paused,2026-11-22,,,", "paused_since", Problem.BAD_DATE),
        ("lag,ada,mentor,Ada,Ada P,,,paused,,,2026-11-20,", "expected_return", Problem.RETURN_DATE_DROPPED),
        ("lag,ada,mentor,Ada,Ada P,,,,,,,,beyond", None, Problem.EXTRA_CELLS),
    ],
)
def test_it_names_line_and_column_of_what_is_wrong_with_a_person(
    line: str, column: str | None, problem: Problem
) -> None:
    assert _told(_people(line + "\n")) == [("people.csv", 2, column, problem)]


def test_it_refuses_a_national_identity_number_as_a_code_and_does_not_repeat_it() -> None:
    number = _made_up_identity_number()
    plan = _people(f"lag,{number},mentor,Ada,Ada Prøve,,,,,,,\n")

    assert _told(plan) == [("people.csv", 2, "person", Problem.BAD_VALUE)]
    assert number not in _all_words(plan.findings)


def test_today_is_a_day_in_the_zone_of_the_organisation() -> None:
    # Half past eleven in the evening in UTC is the next day in Oslo.
    plan = _people("lag,ada,mentor,Ada,Ada Prøve,,,paused,2026-11-21,travel,2026-11-21,\n")

    assert _told(plan) == []


@pytest.mark.parametrize(
    "second, column",
    [(_ADA, "person"), ("lag,ada,likeperson,Ada,Ada Prøve,ada@lag.example,south,,,,,\n", "person")],
)
def test_it_tells_an_entry_that_stands_twice_in_one_file(second: str, column: str) -> None:
    plan = _people(_ADA + second)

    assert _told(plan) == [("people.csv", 3, column, Problem.DUPLICATE)]
    assert "people.csv, line 2" in plan.findings[0].message


def test_it_tells_an_entry_that_stands_in_two_files() -> None:
    plan = _plan(
        organisations=_ORGANISATIONS, chapters=_CHAPTERS, more="organisation,chapter,name\nlag,north,Nord\n"
    )

    assert _told(plan) == [("more.csv", 2, "chapter", Problem.DUPLICATE)]
    assert "chapters.csv, line 2" in plan.findings[0].message


def test_one_person_may_be_several_things_but_not_under_two_names() -> None:
    plan = _people(
        _ADA + "lag,ada,coordinator,Ada,Ada Prøve,,north,,,,,\n" + "lag,ada,admin,Ada,Ada Annerledes,,,,,,,\n"
    )

    assert _told(plan) == [("people.csv", 4, "display_name", Problem.CONTRADICTION)]


def test_it_refuses_two_accounts_for_one_person_and_one_account_for_two_persons() -> None:
    plan = _people(
        f"lag,ada,mentor,Ada,Ada Prøve,,,,,,,{_ACCOUNT}\n"
        f"lag,ada,coordinator,Ada,Ada Prøve,,north,,,,,{uuid4()}\n"
        f"lag,bo,mentor,Ada,Ada Prøve,,,,,,,{_ACCOUNT}\n"
        f"other,ada,mentor,Ada,Ada Prøve,,,,,,,{_ACCOUNT}\n"
    )

    assert _told(plan) == [
        ("people.csv", 3, "user_id", Problem.CONTRADICTION),
        ("people.csv", 4, "user_id", Problem.DUPLICATE),
    ]


def test_it_refuses_certificates_that_cannot_be() -> None:
    plan = _plan(
        organisations=_ORGANISATIONS,
        chapters=_CHAPTERS,
        people=_PEOPLE + _ADA + "lag,bo,coordinator,Bo,Bo Prøve,,north,,,,,\n",
        certificates=_CERTIFICATES
        + "lag,ada,,20.11.2026,2025-11-20\n"
        + "lag,bo,,20.11.2026,\n"
        + "lag,cy,,20.11.2026,\n"
        + "lag,ada,,,\n"
        + "lag,ada,peer_mentor,2026-11-20,\n",
    )

    assert _told(plan) == [
        ("certificates.csv", 2, "expires_on", Problem.BAD_DATE),
        ("certificates.csv", 3, "person", Problem.UNKNOWN_PERSON),
        ("certificates.csv", 4, "person", Problem.UNKNOWN_PERSON),
        ("certificates.csv", 5, "issued_on", Problem.MISSING_VALUE),
        ("certificates.csv", 6, "issued_on", Problem.DUPLICATE),
    ]


def test_it_checks_the_words_of_an_organisation() -> None:
    plan = _plan(
        organisations="organisation,name,time_zone,language\nlag,Laget,Oslo,klingon\n-lag,Laget,Europe/Oslo,nynorsk\n"
    )

    assert _told(plan) == [
        ("organisations.csv", 2, "time_zone", Problem.BAD_VALUE),
        ("organisations.csv", 2, "language", Problem.BAD_VALUE),
        ("organisations.csv", 3, "organisation", Problem.FORMULA),
    ]


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_being_checked() -> None:
    plan = _plan(a="", organisations=_ORGANISATIONS, certificates=_CERTIFICATES + "none,ada,,20.11.2026,\n")

    assert _told(plan) == [
        ("a.csv", 0, None, Problem.EMPTY),
        ("certificates.csv", 2, "organisation", Problem.UNKNOWN_ORGANISATION),
    ]
    assert [finding.where for finding in plan.findings] == [
        "a.csv",
        "certificates.csv, line 2, column organisation",
    ]
    assert plan.findings[0].to_json()["line"] is None


@pytest.mark.parametrize(
    "header, column, problem",
    [
        ("colour,shape", None, Problem.UNKNOWN_KIND),
        ("organisation,chapter", "name", Problem.MISSING_COLUMN),
        ("chapter,name", "organisation", Problem.MISSING_COLUMN),
        ("organisation,chapter,name,Navn", "name", Problem.REPEATED_COLUMN),
        ("organisation,person,kind,expires_on", "issued_on", Problem.MISSING_COLUMN),
    ],
)
def test_it_tells_what_is_wrong_with_a_header(header: str, column: str | None, problem: Problem) -> None:
    plan = _plan(file=f"{header}\n1,2,3,4\n")

    assert _told(plan) == [("file.csv", 1, column, problem)]
    assert plan.blockers


def test_it_ignores_columns_it_does_not_know_with_a_note() -> None:
    plan = _plan(organisations="organisation,name,favourite colour,,\nlag,Laget,blue,,\n")

    assert _told(plan) == [("organisations.csv", 1, None, Problem.UNKNOWN_COLUMN)]
    assert not plan.blockers


def test_it_understands_norwegian_headers_and_words_in_any_case() -> None:
    plan = _plan(
        lag="ORGANISASJON;Navn;Målform;Påkrevde sertifikater\nlag;Laget;Nynorsk;peer_mentor|kurs\n",
        lokallag="organisasjon;Lokallag;navn\nlag;ås;Ås\n",
        folk="Organisasjon;Medlemsnummer;Rolle;Fornavn;Navn;E-post;Lag;Status;Pause fra;Årsak;Forventet tilbake\n"
        "lag;1;Likeperson;Åse;Åse Prøve;ase@lag.example;ås;Pauset;1.11.2026;travel;24.12.2026\n",
        kurs="organisasjon;medlemsnummer;kurs;utstedt;utløper\nlag;1;kurs;1.2.2025;1.2.2027\n",
    )

    assert _told(plan) == []
    rows = {f"{step.deed} {step.part}": step.rows[0] for step in plan.steps}
    assert rows["create organisations"]["language"] == "nn"
    assert rows["create organisations"]["required_certification_kinds"] == ["kurs", "peer_mentor"]
    assert rows["create mentors"]["pause_at"] == "2026-11-01T00:00:00+01:00"
    assert rows["create mentors"]["expected_return_on"] == "2026-12-24"
    assert rows["create certificates"]["expires_on"] == "2027-02-01"


def test_it_understands_every_reason_that_a_pause_may_have() -> None:
    text = "".join(
        f"lag,{number},mentor,Ada,Ada Prøve,,,paused,,{reason.value},,\n"
        for number, reason in enumerate(ReasonCode)
    )

    assert _told(_people(text)) == []


def test_it_guesses_which_code_was_meant_but_repeats_no_cell() -> None:
    plan = _people("lag,ada-at-home,mentor,Secretname,Secretname Prøve,secret@lag,nroth|Secretname,,,,,\n")

    words = _all_words(plan.findings)
    assert "Did you mean north?" in words
    assert "ecret" not in words
    assert "ada-at-home" not in words


def _all_words(findings: tuple[Finding, ...]) -> str:
    return " ".join(f"{finding.where} {finding.message} {finding.hint}" for finding in findings)


def _made_up_identity_number() -> str:
    # Of somebody born on the 40th of December: the right check digits, but nobody's.
    for first in range(1_000):
        stem = [int(digit) for digit in f"401299{first:03}"]
        tens = -sum(a * b for a, b in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), stem, strict=True)) % 11
        ones = -sum(a * b for a, b in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), [*stem, tens], strict=True)) % 11
        if tens < 10 and ones < 10:
            return "".join(map(str, [*stem, tens, ones]))
    raise AssertionError("no number has such check digits")
