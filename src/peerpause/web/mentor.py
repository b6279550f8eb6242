"""`/mentors/{mentor_id}`: one mentor, for those who answer for them: where they stand, what happened, what can be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.database.paging import read_cursor, read_moment, write_cursor
from peerpause.database.session import Sessions
from peerpause.directory.mentors import CertificateState, certificate_state, read_address_of_mentor
from peerpause.status.rules import MentorStatus
from peerpause.status.standing import Standing, read_standing
from peerpause.status.timeline import ReturnChange, read_timeline
from peerpause.web.languages import Words
from peerpause.web.pages import page, reasons_in, see_other, words_of
from peerpause.web.reader import Organisation, Reader, Reading, Writing
from peerpause.web.refusals import PageRoute
from peerpause.web.roster_words import told_by_certificate

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_ENTRIES: Final = 20
_SOON: Final = 60


@dataclass(frozen=True, slots=True)
class Somebody:
    """A mentor the reader answers for, and the organisation it is in."""

    standing: Standing
    organisation: Organisation

    @property
    def mentor_id(self) -> UUID:
        """Who it is."""
        return self.standing.record.mentor_id

    @property
    def name(self) -> str:
        """Their name."""
        return self.standing.profile.display_name

    @property
    def path(self) -> str:
        """Where their page is."""
        return f"/mentors/{self.mentor_id}"

    @property
    def certificate(self) -> CertificateState:
        """How they stand with what the organisation requires."""
        last_day = self.standing.last_valid_day
        if self.standing.required_kinds and last_day is None and not self.standing.is_certified:
            return CertificateState.MISSING
        if self.standing.required_kinds and last_day is None:
            return CertificateState.VALID
        return certificate_state(last_day, self.standing.today, _SOON)

    @property
    def is_overdue(self) -> bool:
        """Whether the day they expected to be back has passed."""
        expected = self.standing.record.expected_return_on
        return expected is not None and expected < self.standing.today


async def somebody(request: Request, reader: Reader, mentor_id: UUID) -> Somebody:
    """The mentor as they stand now. Raises MentorNotFound for one whom the reader does not answer for."""
    sessions: Sessions = request.app.state.services.sessions
    standing = await read_standing(sessions, reader.claims, mentor_id)
    organisation = reader.organisation(standing.record.organisation_id)
    assert organisation is not None, "whom one answers for is in an organisation one has a part in"
    return Somebody(standing, organisation)


def is_self(reader: Reader, mentor_id: UUID) -> bool:
    """Whether the reader is this mentor: then their own pages are the place."""
    return any(each.mentor_id == mentor_id for each in reader.mentors)


@router.get("/mentors/{mentor_id}")
async def mentor(request: Request, reader: Reading, mentor_id: UUID, before: str | None = None) -> Response:
    """Everything about one mentor."""
    if is_self(reader, mentor_id):
        return see_other(f"/me/{mentor_id}")
    sessions: Sessions = request.app.state.services.sessions
    who = await somebody(request, reader, mentor_id)
    timeline = await read_timeline(sessions, reader.claims, mentor_id, limit=_ENTRIES, before=_moment(before))
    words = words_of(request, reader)
    return page(
        request,
        "mentors/mentor.html",
        reader=reader,
        who=who,
        standing=who.standing,
        record=who.standing.record,
        timeline=timeline,
        is_return_change=lambda entry: isinstance(entry, ReturnChange),
        older=None if timeline.next is None else write_cursor(timeline.next),
        is_older=before is not None,
        email=await read_address_of_mentor(sessions, reader.claims, mentor_id),
        reasons=await reasons_in(request, reader, who.organisation.organisation_id),
        told_by_certificate=told_by_certificate(words),
        why_not_public=_why_not_public(who, words),
        done=_done(request.query_params.get("done"), who, words),
        just_back=request.query_params.get("done") == "reactivated",
    )


@router.post("/mentors/{mentor_id}/cancel-planned-pause")
async def cancel_planned_pause(request: Request, reader: Writing, mentor_id: UUID) -> Response:
    """Take back a pause that has not begun."""
    cancelled = await request.app.state.services.status(reader.claims).cancel_scheduled_pause(mentor_id)
    return see_other(f"/mentors/{mentor_id}", done="cancelled" if cancelled else "nothing-planned")


def _done(code: str | None, who: Somebody, words: Words) -> str | None:
    """What a form has just done, in words."""
    sentences = {
        "paused": words.gettext("%(name)s is now on pause."),
        "planned": words.gettext("The pause of %(name)s is planned."),
        "reactivated": words.gettext("%(name)s is active again."),
        "deactivated": words.gettext("%(name)s has now left."),
        "cancelled": words.gettext("The planned pause of %(name)s is cancelled."),
        "return-date": words.gettext("The day %(name)s is expected back was changed."),
        "nothing-planned": words.gettext("There was no planned pause to cancel."),
    }
    sentence = sentences.get(code or "")
    return None if sentence is None else sentence % {"name": who.name}


def _why_not_public(who: Somebody, words: Words) -> str | None:
    """What keeps them off the public page; None where they are on it."""
    standing = who.standing
    if standing.is_public:
        return None
    if standing.record.status is MentorStatus.PAUSED:
        return words.gettext("Not shown while on pause.")
    if standing.record.status is MentorStatus.INACTIVE:
        return words.gettext("Not shown, because they have left.")
    if not standing.profile.listed:
        return words.gettext("Not shown, by their own wish.")
    return words.gettext("Not shown, because a certificate that is required is missing or has run out.")


def _moment(before: str | None) -> datetime | None:
    return None if before is None else read_moment(*read_cursor(before, length=1))
