"""`/me/…/resign`: a mentor stops for good, from active or from a pause. It cannot be undone, so it is asked twice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.errors import Conflict, InvalidArgument, InvalidTransition
from peerpause.status.rules import MAX_NOTE_LENGTH, MentorStatus, ReasonCode
from peerpause.web.forms import Form, read_form
from peerpause.web.own import Own, expected_of, key_of, new_key, own_answer, read_own, status_service
from peerpause.web.pages import see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute, in_words
from peerpause.web.wishes import LEAVING_REASONS

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/me/{mentor_id}/resign")
async def ask(request: Request, mentor_id: UUID, reader: Reading) -> Response:
    """What leaving means, what is kept, and that a pause may be enough."""
    own = await read_own(request, reader, mentor_id)
    if own.status is MentorStatus.INACTIVE:
        return see_other(own.path)
    return _form(request, reader, own, Form(words_of(request, reader)), expected=own.standing.updated_at)


@router.post("/me/{mentor_id}/resign")
async def resign(request: Request, mentor_id: UUID, reader: Writing) -> Response:
    """One step on: from the form to the last question, back, or out."""
    form = await read_form(request, words_of(request, reader))
    own = await read_own(request, reader, mentor_id)
    expected = expected_of(form, own)
    if form.value("step") == "change":
        return _form(request, reader, own, form, expected=expected)
    reason = form.choice("reason", LEAVING_REASONS, form.words.gettext("Choose a reason."))
    note = form.text("note", longest=MAX_NOTE_LENGTH)
    if reason is None or not form.is_good:
        return _form(request, reader, own, form, expected=expected, status=422)
    if form.value("step") != "confirm":
        return _review(request, reader, own, form, expected=expected)
    try:
        await status_service(request, reader).deactivate_mentor(
            mentor_id, reason, note=note, expected_updated_at=expected, idempotency_key=key_of(form)
        )
    except InvalidTransition:
        return see_other(own.path, done="already_left")
    except Conflict:
        if own.status is MentorStatus.INACTIVE:
            return see_other(own.path, done="already_left")
        return _review(
            request, reader, own, form, expected=own.standing.updated_at, seen=expected, status=409
        )
    except InvalidArgument as error:
        form.refuse("reason", in_words(error, form.words))
        return _form(request, reader, own, form, expected=own.standing.updated_at, status=422)
    return see_other(own.path, done="left")


def _form(
    request: Request, reader: Reader, own: Own, form: Form, *, expected: datetime, status: int = 200
) -> Response:
    return own_answer(
        request,
        "me/resign.html",
        reader,
        own,
        status=status,
        form=form,
        expected=expected.isoformat(),
        choices={
            **{code.value: own.reasons[code] for code in LEAVING_REASONS},
            ReasonCode.RESIGNED.value: form.words.gettext("I want to do something else"),
        },
    )


def _review(
    request: Request,
    reader: Reader,
    own: Own,
    form: Form,
    *,
    expected: datetime,
    seen: datetime | None = None,
    status: int = 200,
) -> Response:
    return own_answer(
        request,
        "me/resign_review.html",
        reader,
        own,
        status=status,
        typed={name: form.value(name) for name in ("reason", "note")},
        expected=expected.isoformat(),
        key=new_key(),
        conflict_since=seen,
    )
