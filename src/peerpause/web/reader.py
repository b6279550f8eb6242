"""Whoever reads a page, and the parts they have: mentor here, coordinator there, admin somewhere. Read anew for each page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from peerpause.database.session import Claims, Sessions
from peerpause.web.asking import CsrfChecked, SignedIn, WebPerson


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as its people's pages need it. ``role_word`` is its own word for a peer mentor, if it has one."""

    organisation_id: UUID
    name: str
    language: str
    time_zone: str
    role_word: str | None
    role_word_plural: str | None
    certificates_required: bool


@dataclass(frozen=True, slots=True)
class OwnMentor:
    """The reader as a mentor of one organisation."""

    mentor_id: UUID
    organisation: Organisation


@dataclass(frozen=True, slots=True)
class OwnChapter:
    """A chapter the reader answers for, as its coordinator."""

    chapter_id: UUID
    name: str
    organisation: Organisation


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever reads the page. Names are theirs and are shown to them alone."""

    web: WebPerson
    display_name: str | None = field(repr=False)
    first_name: str | None = field(repr=False)
    language: str | None
    mentors: tuple[OwnMentor, ...]
    chapters: tuple[OwnChapter, ...]
    administers: tuple[Organisation, ...]
    unread: int

    @property
    def claims(self) -> Claims:
        """As whom the database is asked."""
        return self.web.claims

    @property
    def csrf(self) -> str:
        """What every form of theirs carries."""
        return self.web.session.csrf

    @property
    def is_mentor(self) -> bool:
        """Whether they serve anywhere."""
        return bool(self.mentors)

    @property
    def is_coordinator(self) -> bool:
        """Whether they answer for mentors: as coordinator of a chapter or as admin of an organisation."""
        return bool(self.chapters or self.administers)

    @property
    def is_admin(self) -> bool:
        """Whether they administer an organisation."""
        return bool(self.administers)

    @property
    def organisations(self) -> tuple[Organisation, ...]:
        """Every organisation they have a part in, once each."""
        found = (
            *(mentor.organisation for mentor in self.mentors),
            *(chapter.organisation for chapter in self.chapters),
            *self.administers,
        )
        return tuple({each.organisation_id: each for each in found}.values())

    def organisation(self, organisation_id: UUID) -> Organisation | None:
        """One of their organisations."""
        return next((each for each in self.organisations if each.organisation_id == organisation_id), None)


async def reader_of(request: Request, person: WebPerson) -> Reader:
    """The reader behind a signed-in person, as the database knows them at this moment."""
    sessions: Sessions = request.app.state.services.sessions
    (row,) = await sessions.call(person.claims, "web_reader")
    reader = _read(row, person)
    request.state.reader = reader
    return reader


async def _signed_in_reader(request: Request, person: SignedIn) -> Reader:
    return await reader_of(request, person)


async def _checked_reader(request: Request, person: CsrfChecked) -> Reader:
    return await reader_of(request, person)


Reading = Annotated[Reader, Depends(_signed_in_reader)]
"""For pages: the signed-in reader; others are sent to sign in."""

Writing = Annotated[Reader, Depends(_checked_reader)]
"""For forms: the signed-in reader, whose form came from one of our own pages."""


def _read(row: Mapping[str, Any], person: WebPerson) -> Reader:
    return Reader(
        web=person,
        display_name=row["display_name"],
        first_name=row["first_name"],
        language=row["language"],
        mentors=tuple(OwnMentor(UUID(each["mentor_id"]), _organisation(each)) for each in row["mentors"]),
        chapters=tuple(
            OwnChapter(UUID(each["chapter_id"]), each["chapter_name"], _organisation(each))
            for each in row["chapters"]
        ),
        administers=tuple(_organisation(each) for each in row["administers"]),
        unread=row["unread"],
    )


def _organisation(row: Mapping[str, Any]) -> Organisation:
    return Organisation(
        organisation_id=UUID(row["organisation_id"]),
        name=row["organisation_name"],
        language=row["language"],
        time_zone=row["time_zone"],
        role_word=row["role_word"],
        role_word_plural=row["role_word_plural"],
        certificates_required=row["certificates_required"],
    )
