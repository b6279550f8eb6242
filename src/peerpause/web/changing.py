"""Changes of one mentor by those who answer for them: a form, a look at what it will do, and only then the change.

Each form carries what its page saw (`expected`) and a key of its own: nobody overwrites what they have not seen, and a form that is
sent twice changes once. What was typed is kept through every refusal.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final, Literal, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from peerpause.certifications.renewals import grant_override
from peerpause.errors import CertificationExpired, Conflict, InvalidArgument, InvalidTransition
from peerpause.status.repository import lost_race
from peerpause.status.rules import MAX_NOTE_LENGTH, MentorStatus, MentorStatusRecord, ReasonCode
from peerpause.status.service import MentorStatusService
from peerpause.web.forms import Form, day_begins, read_form
from peerpause.web.languages import Words
from peerpause.web.mentor import Somebody, is_self, somebody
from peerpause.web.pages import page, reasons_in, see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute, in_words

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Action: TypeAlias = Literal["pause", "reactivate", "deactivate"]

PAUSE_REASONS: Final = (
    ReasonCode.COORDINATOR_PAUSE,
    ReasonCode.ILLNESS,
    ReasonCode.TRAVEL,
    ReasonCode.PERSONAL,
    ReasonCode.FAMILY,
    ReasonCode.WORK_OR_STUDY,
    ReasonCode.OTHER,
)
"""Why somebody pauses another."""

LEAVING_REASONS: Final = (ReasonCode.RESIGNED, ReasonCode.DEACTIVATED, ReasonCode.OTHER)
"""Why somebody lets another leave."""

_POSSIBLE_FROM: Final[Mapping[Action, frozenset[MentorStatus]]] = {
    "pause": frozenset({MentorStatus.ACTIVE}),
    "reactivate": frozenset({MentorStatus.PAUSED}),
    "deactivate": frozenset({MentorStatus.ACTIVE, MentorStatus.PAUSED}),
}
_LEAST_JUSTIFICATION: Final = 10
_LONGEST_OVERRIDE: Final = 366


@router.get("/mentors/{mentor_id}/{action}")
async def form_of(request: Request, reader: Reading, mentor_id: UUID, action: Action) -> Response:
    """The form, empty."""
    if is_self(reader, mentor_id):
        return see_other(f"/me/{mentor_id}")
    who = await somebody(request, reader, mentor_id)
    if who.standing.record.status not in _POSSIBLE_FROM[action]:
        return see_other(who.path)
    return await _shown(request, reader, who, action, Form(words=words_of(request, reader)))


@router.post("/mentors/{mentor_id}/{action}")
async def sent(request: Request, reader: Writing, mentor_id: UUID, action: Action) -> Response:
    """The form as it was sent: looked at, or confirmed, or sent back to be changed."""
    form = await read_form(request, words_of(request, reader))
    who = await somebody(request, reader, mentor_id)
    if form.value("step") == "edit":
        return await _shown(request, reader, who, action, form)
    try:
        change = _read(form, who, action)
        if not form.is_good:
            return await _shown(request, reader, who, action, form)
        if form.value("step") != "confirm":
            return await _shown(request, reader, who, action, form, is_review=True)
        record = await change.make(request, reader)
    except CertificationExpired:
        who = await somebody(request, reader, mentor_id)
        return await _shown(request, reader, who, action, form)
    except (Conflict, InvalidTransition, InvalidArgument) as error:
        who = await somebody(request, reader, mentor_id)
        return await _shown(
            request,
            reader,
            who,
            action,
            form,
            refusal=in_words(error, form.words),
            is_conflict=not isinstance(error, InvalidArgument),
        )
    return see_other(who.path, done=_done_code(action, record))


class _Change:
    """What a form asks for, ready to be made."""

    def __init__(self, form: Form, who: Somebody, action: Action) -> None:
        self._who = who
        self._action = action
        self.expected = expected_by(form)
        self.key = form.value("key")[:100] or None
        self.reason: str | None = None
        self.note: str | None = None
        self.pause_at: datetime | None = None
        self.return_on: date | None = None
        self.justification: str | None = None
        self.override_until: date | None = None

    async def make(self, request: Request, reader: Reader) -> MentorStatusRecord:
        """Make it, as the reader."""
        service: MentorStatusService = request.app.state.services.status(reader.claims)
        mentor_id = self._who.mentor_id
        if self._action == "pause":
            return await service.pause_mentor(
                mentor_id,
                self.reason,
                pause_at=self.pause_at,
                expected_return_on=self.return_on,
                note=self.note,
                expected_updated_at=self.expected,
                idempotency_key=self.key,
            )
        if self._action == "deactivate":
            return await service.deactivate_mentor(
                mentor_id,
                self.reason,
                note=self.note,
                expected_updated_at=self.expected,
                idempotency_key=self.key,
            )
        if self.justification is not None and self.override_until is not None:
            if self.expected != self._who.standing.record.updated_at:
                raise lost_race(mentor_id)  # before the exception is on record
            await grant_override(
                request.app.state.services.sessions,
                reader.claims,
                mentor_id,
                justification=self.justification,
                valid_until=self.override_until,
                idempotency_key=None if self.key is None else f"{self.key}-override",
            )
        return await service.reactivate_mentor(
            mentor_id, expected_updated_at=self.expected, idempotency_key=self.key
        )


def _read(form: Form, who: Somebody, action: Action) -> _Change:
    change = _Change(form, who, action)
    words = form.words
    if action == "reactivate":
        if who.standing.blocking_lapse is not None:
            _read_override(form, who, change)
        return change
    known = PAUSE_REASONS if action == "pause" else LEAVING_REASONS
    change.reason = form.choice("reason", [each.value for each in known], words.gettext("Choose a reason."))
    change.note = form.text("note", longest=MAX_NOTE_LENGTH)
    if action == "pause":
        _read_times(form, who, change)
    return change


def _read_times(form: Form, who: Somebody, change: _Change) -> None:
    words, zone = form.words, who.organisation.time_zone
    start = form.choice("start", ["now", "later"], words.gettext("Choose when the pause begins."))
    begins_on = who.standing.today
    if start == "later":
        day, clock = form.day("start_on"), form.clock("start_at")
        if day is None:
            form.refuse("start_on", words.gettext("Give the day on which the pause begins."))
        else:
            begins_on = day
            change.pause_at = _moment(day, clock, zone)
            if change.pause_at <= datetime.now(UTC):
                form.refuse(
                    "start_on", words.gettext("Give a day and time that are still ahead, or begin now.")
                )
    change.return_on = form.day("return_on")
    if change.return_on is not None and change.return_on < begins_on:
        form.refuse(
            "return_on", words.gettext("The pause cannot end before it begins. Give a later day, or none.")
        )


def _read_override(form: Form, who: Somebody, change: _Change) -> None:
    words, today = form.words, who.standing.today
    change.justification = form.required_text(
        "justification", words.gettext("Say why they may go on without a valid certificate.")
    )
    if change.justification is not None and len(change.justification) < _LEAST_JUSTIFICATION:
        form.refuse("justification", words.gettext("Say a little more: at least ten characters."))
    change.override_until = form.day("override_until")
    if change.override_until is None:
        form.refuse("override_until", words.gettext("Give the last day of the exception."))
    elif not 0 <= (change.override_until - today).days <= _LONGEST_OVERRIDE:
        form.refuse(
            "override_until", words.gettext("The exception ends on a day between today and a year from now.")
        )


async def _shown(
    request: Request,
    reader: Reader,
    who: Somebody,
    action: Action,
    form: Form,
    *,
    is_review: bool = False,
    refusal: str | None = None,
    is_conflict: bool = False,
) -> Response:
    record = who.standing.record
    reasons = await reasons_in(request, reader, who.organisation.organisation_id)
    offered = {"pause": PAUSE_REASONS, "deactivate": LEAVING_REASONS, "reactivate": ()}[action]
    is_possible = record.status in _POSSIBLE_FROM[action]
    # After a conflict the reader has seen what is new, on this very page: the next attempt counts from there, as a new one.
    starts_anew = is_conflict or not form.value("expected")
    return page(
        request,
        "mentors/review.html" if is_review else "mentors/change.html",
        reader=reader,
        status=409 if is_conflict else 400 if refusal or form.problems else 200,
        who=who,
        standing=who.standing,
        record=record,
        action=action,
        form=form,
        expected=record.updated_at.isoformat() if starts_anew else form.value("expected"),
        key=secrets.token_urlsafe(18) if starts_anew else form.value("key"),
        reasons=reasons,
        offered={each.value: reasons.get(each.value, each.value) for each in offered},
        refusal=refusal,
        is_conflict=is_conflict,
        is_possible=is_possible,
        changed_by=changed_by(who, form.words),
        is_blocked=action == "reactivate" and who.standing.blocking_lapse is not None,
        may_override=any(each.organisation_id == record.organisation_id for each in reader.administers),
        read=_read(Form(words=form.words, values=form.values), who, action) if is_review else None,
    )


def changed_by(who: Somebody, words: Words) -> str:
    """Who made the latest change."""
    actor = who.standing.record.changed_by
    if actor is None:
        return words.gettext("the system")
    return who.standing.names.get(actor) or words.gettext("somebody who is no longer here")


def _done_code(action: Action, record: MentorStatusRecord) -> str:
    match action:
        case "pause":
            return "paused" if record.status is MentorStatus.PAUSED else "planned"
        case "reactivate":
            return "reactivated"
        case "deactivate":
            return "deactivated"


def expected_by(form: Form) -> datetime:
    """What the form's page saw; where the form does not say, a moment that nothing matches."""
    try:
        expected = datetime.fromisoformat(form.value("expected"))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return expected if expected.utcoffset() is not None else datetime.min.replace(tzinfo=UTC)


def _moment(day: date, clock: time | None, zone: str) -> datetime:
    if clock is None:
        return day_begins(day, zone)
    return datetime.combine(day, clock.replace(tzinfo=None), tzinfo=ZoneInfo(zone))
