"""The mentor behind their own page: found among the reader's own rows and nobody else's, with what every one of these pages shows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from peerpause.database.session import Sessions
from peerpause.errors import MentorNotFound
from peerpause.status.rules import MentorStatus
from peerpause.status.service import MentorStatusService
from peerpause.status.standing import Standing, read_standing
from peerpause.web.forms import Form
from peerpause.web.pages import page, reasons_in
from peerpause.web.reader import Organisation, OwnMentor, Reader


@dataclass(frozen=True, slots=True)
class Own:
    """The reader as a mentor of one organisation, as they stand now. ``reasons`` are the labels in the reader's language."""

    mentor: OwnMentor
    standing: Standing
    reasons: Mapping[str, str] = field(repr=False)

    @property
    def mentor_id(self) -> UUID:
        """Which of the mentors they are."""
        return self.mentor.mentor_id

    @property
    def organisation(self) -> Organisation:
        """Where they serve."""
        return self.mentor.organisation

    @property
    def zone(self) -> str:
        """The clock that counts."""
        return self.mentor.organisation.time_zone

    @property
    def clock(self) -> ZoneInfo:
        """The same clock, to count with."""
        return ZoneInfo(self.zone)

    @property
    def path(self) -> str:
        """Where their pages begin."""
        return f"/me/{self.mentor_id}"

    @property
    def status(self) -> MentorStatus:
        """Where they stand."""
        return self.standing.record.status


def own_page(reader: Reader, mentor_id: UUID) -> str | None:
    """The address of a mentor's own page, where the mentor is the reader: links in notices lead to `/mentors/…` for everybody."""
    is_own = any(mentor.mentor_id == mentor_id for mentor in reader.mentors)
    return f"/me/{mentor_id}" if is_own else None


async def read_own(request: Request, reader: Reader, mentor_id: UUID) -> Own:
    """The reader as this mentor. Raises MentorNotFound where it is somebody else, whoever they answer for."""
    mentor = next((each for each in reader.mentors if each.mentor_id == mentor_id), None)
    if mentor is None:
        raise MentorNotFound("There is no such mentor among you.", hint="Begin at /me.")
    standing = await read_standing(sessions_of(request), reader.claims, mentor_id)
    reasons = await reasons_in(request, reader, mentor.organisation.organisation_id)
    return Own(mentor, standing, reasons)


def own_answer(request: Request, template: str, reader: Reader, own: Own, **content: Any) -> Response:
    """One of their pages."""
    return page(
        request,
        template,
        reader=reader,
        own=own,
        standing=own.standing,
        record=own.standing.record,
        **content,
    )


def sessions_of(request: Request) -> Sessions:
    """The database."""
    sessions: Sessions = request.app.state.services.sessions
    return sessions


def status_service(request: Request, reader: Reader) -> MentorStatusService:
    """The service by which the reader changes a status."""
    service: MentorStatusService = request.app.state.services.status(reader.claims)
    return service


def new_key() -> str:
    """What makes a form change once, however often it is sent."""
    return secrets.token_urlsafe(18)


def expected_of(form: Form, own: Own) -> datetime:
    """The `updated_at` that the form was made with. Where it holds none, the form is not ours: then nothing matches."""
    try:
        expected = datetime.fromisoformat(form.value("expected"))
    except ValueError:
        return datetime.min.replace(tzinfo=own.standing.updated_at.tzinfo)
    return (
        expected
        if expected.utcoffset() is not None
        else expected.replace(tzinfo=own.standing.updated_at.tzinfo)
    )


def key_of(form: Form) -> str | None:
    """The key that the form came with."""
    return form.value("key")[:200] or None
