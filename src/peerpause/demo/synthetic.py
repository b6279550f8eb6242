"""Makes up three organisations, their chapters, 224 mentors, coordinators, admins and certificates, as files to import.

Nobody in them exists: the family names are words for "made up", the addresses end in `.example`. The same people come out every time;
only the dates move with `today`, so that on any day some certificates have lapsed, some lapse soon and most hold.

`python -m peerpause.demo.synthetic DIR` writes the files anew as they are packaged in `demo/data`; with a day as second
argument (2027-03-01) as they would be on that day.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final, TypeVar
from uuid import UUID

EXAMPLE_DAY: Final = date(2026, 11, 1)
"""The day for which the packaged files were made."""

LEADING_MENTOR: Final = ("norsk-horselslag", "HL-001")
"""Organisation and person code of a mentor who is active and certified and belongs to two chapters with coordinators."""

LAPSED_MENTOR: Final = ("norsk-horselslag", "HL-002")
"""An active mentor whose required certificate has expired: the nightly run's first."""

CHAPTER_WITHOUT_COORDINATOR: Final = ("hjertelaget", "finnmark")
"""Organisation and chapter code of a chapter whose mentors' news go to the admins."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Organisation:
    code: str
    prefix: str
    name: str
    language: str
    role_word: str
    certified: bool
    chapters: tuple[tuple[str, str], ...]
    mentors: int
    coordinators: tuple[tuple[str, ...], ...]
    """The chapters of each coordinator."""
    admins: int


_ORGANISATIONS: Final = (
    _Organisation(
        code="norsk-horselslag",
        prefix="HL",
        name="Norsk Hørselslag",
        language="nb",
        role_word="likeperson",
        certified=True,
        chapters=(
            ("oslo", "Oslo"),
            ("baerum", "Bærum og Asker"),
            ("trondelag", "Trøndelag"),
            ("more", "Møre og Romsdal"),
            ("sapmi", "Sápmi"),
        ),
        mentors=88,
        coordinators=(
            ("oslo",),
            ("oslo", "baerum"),
            ("baerum",),
            ("trondelag", "more"),
            ("more",),
            ("sapmi",),
        ),
        admins=2,
    ),
    _Organisation(
        code="synslaget",
        prefix="SY",
        name="Synslaget",
        language="nn",
        role_word="likeperson",
        certified=True,
        chapters=(
            ("bergen", "Bergen"),
            ("sogn", "Sogn og Fjordane"),
            ("rogaland", "Rogaland"),
            ("agder", "Agder"),
            ("telemark", "Telemark"),
        ),
        mentors=72,
        coordinators=(("bergen",), ("bergen", "sogn"), ("rogaland", "agder", "telemark"), ("telemark",)),
        admins=1,
    ),
    _Organisation(
        code="hjertelaget",
        prefix="HJ",
        name="Hjertelaget",
        language="nb",
        role_word="hjertevenn",
        certified=False,
        chapters=(
            ("nordland", "Nordland"),
            ("troms", "Troms"),
            ("finnmark", "Finnmark"),
            ("svalbard", "Svalbard"),
        ),
        mentors=64,
        coordinators=(("nordland",), ("troms",), ("troms", "svalbard")),
        admins=2,
    ),
)

# fmt: off
_FIRST_NAMES: Final = (
    "Ingrid", "Bjørn", "Åse", "Máret", "Fatima", "Øyvind", "Áilu", "Thi Mai", "Håkon", "Sunniva", "Abdi", "Grete", "Sølvi", "Jakub",
    "Ragnhild", "Niillas", "Leyla", "Torbjørn", "Amina", "Kåre", "Solveig", "Ali", "Åshild", "Piotr", "Elle", "Magnus", "Zainab",
    "Jørgen", "Astrid", "Samuel", "Bjørg", "Tuva", "Rune", "Hanne", "Ødger", "Parisa", "Sigrun", "Even", "Marit", "Nora",
)
_FAMILY_NAMES: Final = (
    "Prøvedal", "Eksempelvik", "Liksomlien", "Påfunnås", "Tenktesen", "Modellgård", "Oppdiktstad", "Fiktivsen", "Øvingsrud",
    "Utkastnes", "Skissebø", "Låtsomberg", "Demohaugen", "Mønsterli", "Ingenmannsland", "Testesund", "Fantasifjell",
)
# fmt: on

# Two people who are something in two organisations: told by the account that both lines name.
_SHARED_ACCOUNTS: Final = {
    "HL-010": UUID("3f1d7a54-7f4e-4c0e-9d53-0a6f5f6c1010"),
    "HJ-010": UUID("3f1d7a54-7f4e-4c0e-9d53-0a6f5f6c1010"),
    "SY-K01": UUID("8a0c2b6e-52d1-4b7a-8a35-6f2f3d1e2020"),
    "HJ-020": UUID("8a0c2b6e-52d1-4b7a-8a35-6f2f3d1e2020"),
}
_SAME_NAME: Final = {"HJ-010": "HL-010", "HJ-020": "SY-K01"}

_PEOPLE_COLUMNS: Final = (
    "organisation",
    "person",
    "role",
    "first_name",
    "display_name",
    "email",
    "language",
    "chapters",
    "status",
    "paused_since",
    "pause_reason",
    "expected_return",
    "user_id",
)


def write_example(directory: Path, today: date) -> tuple[Path, ...]:
    """Write the four files into a directory, with dates as they should be on ``today``, and return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    world = _World(today)
    return (
        _write(
            directory / "organisations.csv",
            ("organisation", "name", "time_zone", "language", "role_word", "required_certificates"),
            world.organisations(),
        ),
        _write(directory / "chapters.csv", ("organisation", "chapter", "name"), world.chapters()),
        _write(directory / "people.csv", _PEOPLE_COLUMNS, world.people()),
        # As a Norwegian spreadsheet writes it: to show that this works as well.
        _write(
            directory / "certificates.csv",
            ("organisasjon", "medlemsnummer", "type", "utstedt", "utløper"),
            world.certificates(),
            delimiter=";",
        ),
    )


class _World:
    """Everybody and everything, decided by each one's place in the row."""

    def __init__(self, today: date) -> None:
        self._today = today

    def organisations(self) -> Iterator[Sequence[str]]:
        for each in _ORGANISATIONS:
            required = "peer_mentor" if each.certified else ""
            yield each.code, each.name, "Europe/Oslo", each.language, each.role_word, required

    def chapters(self) -> Iterator[Sequence[str]]:
        for each in _ORGANISATIONS:
            for code, name in each.chapters:
                yield each.code, code, name

    def people(self) -> Iterator[Sequence[str]]:
        for each in _ORGANISATIONS:
            for number in range(1, each.mentors + 1):
                yield self._mentor(each, number)
            for number, chapters in enumerate(each.coordinators, start=1):
                yield _person(each, f"{each.prefix}-K{number:02}", "coordinator", chapters)
            for number in range(1, each.admins + 1):
                yield _person(each, f"{each.prefix}-A{number:02}", "admin", ())
        # A mentor who coordinates as well, and a coordinator who has stopped.
        yield _person(_ORGANISATIONS[0], "HL-007", "coordinator", ("trondelag",))
        yield _person(_ORGANISATIONS[1], "SY-K90", "coordinator", ("agder",), status="inactive")

    def certificates(self) -> Iterator[Sequence[str]]:
        for each in _ORGANISATIONS:
            if each.certified:
                for number in range(1, each.mentors + 1):
                    for issued_on, expires_on in self._certificates_of(number):
                        yield (
                            each.code,
                            f"{each.prefix}-{number:03}",
                            "peer_mentor",
                            issued_on.strftime("%d.%m.%Y"),
                            expires_on.strftime("%d.%m.%Y"),
                        )

    def _mentor(self, organisation: _Organisation, number: int) -> Sequence[str]:
        code = f"{organisation.prefix}-{number:03}"
        status, since, reason, back = self._status(organisation, number)
        return _person(
            organisation,
            code,
            "mentor",
            _chapters_of(organisation, number),
            status=status,
            pause=(since, reason, back),
        )

    def _status(self, organisation: _Organisation, number: int) -> tuple[str, str, str, str]:
        if organisation.certified and number % 29 == 3:
            return "paused", self._day(-9), "certification_expired", ""
        if number % 9 == 4:
            back = self._day(5 + number) if number % 2 else ""
            reason = ("travel", "personal", "illness", "self_pause")[number % 4]
            return "paused", self._day(-3 - number), reason, back
        if number % 21 == 13:
            return "inactive", "", "", ""
        return "", "", "", ""

    def _certificates_of(self, number: int) -> Iterator[tuple[date, date]]:
        """How far each mentor's certificate is: most hold, some have lapsed, some lapse in the next 60 days."""
        if number % 29 == 3:  # lapsed, and paused for it
            yield self._two_years_until(-10)
        elif number % 17 == 2:  # lapsed, and still active: what the nightly run is for
            yield self._two_years_until(-(1 + number % 20))
        elif number % 23 == 5:  # a newcomer who has not taken the course
            return
        elif number % 13 == 6:  # today is the last day, or one soon
            yield self._two_years_until((0, 3, 7, 20, 30, 45, 60)[number // 13 % 7])
        elif number % 11 == 8:  # renewed in time: the old one stays in the record
            yield self._two_years_until(-40)
            yield self._two_years_until(690)
        else:
            yield self._two_years_until(70 + number * 37 % 600)

    def _two_years_until(self, days: int) -> tuple[date, date]:
        last = self._today + timedelta(days=days)
        return last - timedelta(days=730), last

    def _day(self, days: int) -> str:
        return (self._today + timedelta(days=days)).isoformat()


def _chapters_of(organisation: _Organisation, number: int) -> tuple[str, ...]:
    codes = [code for code, _ in organisation.chapters]
    # One of a hundred belongs to as many as may be, a few to three, every fifth to two.
    many = 5 if number == 50 else 3 if number % 19 == 5 else 2 if number % 5 == 1 else 1
    first = (number - 1) % len(codes)
    return tuple((codes * 2)[first : first + min(many, len(codes))])


def _person(
    organisation: _Organisation,
    code: str,
    role: str,
    chapters: Sequence[str],
    *,
    status: str = "",
    pause: tuple[str, str, str] = ("", "", ""),
) -> Sequence[str]:
    known_as = _SAME_NAME.get(code, code)
    # Seeded by the code, so that a person keeps their name when others come and go.
    chance = Random(known_as)
    first, family = _pick(chance, _FIRST_NAMES), _pick(chance, _FAMILY_NAMES)
    language = _pick(chance, ("", "", "", "", "nb", "nn", "en"))
    account = _SHARED_ACCOUNTS.get(code, "")
    home = next(each for each in _ORGANISATIONS if known_as.startswith(each.prefix))
    email = f"{known_as.lower()}@{home.code}.example"
    display_name = f"{first} {family}"
    listed = "|".join(chapters)
    return (
        organisation.code,
        code,
        role,
        first,
        display_name,
        email,
        language,
        listed,
        status,
        *pause,
        str(account),
    )


def _pick(chance: Random, choices: Sequence[_T]) -> _T:
    # random() is the one method whose results Python promises to keep from version to version.
    return choices[int(chance.random() * len(choices))]


def _write(path: Path, header: Sequence[str], rows: Iterator[Sequence[str]], *, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def main(arguments: Sequence[str]) -> None:
    """Write the files into the directory that the first argument names."""
    if not 1 <= len(arguments) <= 2:
        raise SystemExit("use: python -m peerpause.demo.synthetic DIR [DAY]")
    today = date.fromisoformat(arguments[1]) if len(arguments) == 2 else EXAMPLE_DAY
    write_example(Path(arguments[0]), today)


if __name__ == "__main__":
    main(sys.argv[1:])
