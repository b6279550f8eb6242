"""`/me/…/reactivate` and `/me/…/return`: the end of a pause, or another day for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.errors import AlreadyActive, CertificationExpired, Conflict, InvalidArgument, InvalidTransition
from peerpause.status.rules import MentorStatus, ReasonCode
from peerpause.web.forms import Form, read_form
from peerpause.web.own import Own, expected_of, key_of, new_key, own_answer, read_own, status_service
from peerpause.web.pages import see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute, in_words
from peerpause.web.wishes import read_return

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/me/{mentor_id}/reactivate")
async def ask_to_come_back(request: Request, mentor_id: UUID, reader: Reading) -> Response:
    """Whether the profile still holds, and what will happen; or what stands in the way and whom to call."""
    own = await read_own(request, reader, mentor_id)
    if own.status is not MentorStatus.PAUSED:
        return see_other(own.path)
    return _confirm(request, reader, own)


@router.post("/me/{mentor_id}/reactivate")
async def come_back(request: Request, mentor_id: UUID, reader: Writing) -> Response:
    """End the pause."""
    form = await read_form(request, words_of(request, reader))
    own = await read_own(request, reader, mentor_id)
    expected = expected_of(form, own)
    try:
        await status_service(request, reader).reactivate_mentor(
            mentor_id,
            reason=ReasonCode.RETURNED,
            expected_updated_at=expected,
            idempotency_key=key_of(form),
        )
    except AlreadyActive:
        return see_other(own.path, done="already_active")
    except InvalidTransition:
        return see_other(own.path, done="not_possible")
    except CertificationExpired:
        return _confirm(request, reader, await read_own(request, reader, mentor_id), status=409)
    except Conflict:
        if own.status is MentorStatus.ACTIVE:
            return see_other(own.path, done="already_active")
        return _confirm(request, reader, own, seen=expected, status=409)
    return see_other(own.path, done="active")


@router.get("/me/{mentor_id}/return")
async def ask_for_another_day(request: Request, mentor_id: UUID, reader: Reading) -> Response:
    """When the reader expects to be back."""
    own = await read_own(request, reader, mentor_id)
    if own.status is not MentorStatus.PAUSED:
        return see_other(own.path)
    form = Form(words_of(request, reader))
    return _another_day(request, reader, own, form, expected=own.standing.updated_at)


@router.post("/me/{mentor_id}/return")
async def another_day(request: Request, mentor_id: UUID, reader: Writing) -> Response:
    """The pause goes on, until another day or without one in sight."""
    form = await read_form(request, words_of(request, reader))
    own = await read_own(request, reader, mentor_id)
    expected = expected_of(form, own)
    return_on = read_return(form, first_day=own.standing.today)
    if not form.is_good:
        return _another_day(request, reader, own, form, expected=expected, status=422)
    try:
        await status_service(request, reader).update_expected_return(
            mentor_id, return_on, expected_updated_at=expected, idempotency_key=key_of(form)
        )
    except InvalidTransition:
        return see_other(own.path, done="not_paused")
    except Conflict:
        if own.status is not MentorStatus.PAUSED:
            return see_other(own.path, done="not_paused")
        return _another_day(
            request, reader, own, form, expected=own.standing.updated_at, seen=expected, status=409
        )
    except InvalidArgument as error:
        form.refuse("return_on", in_words(error, form.words))
        return _another_day(request, reader, own, form, expected=expected, status=422)
    return see_other(own.path, done="return_changed")


def _confirm(
    request: Request, reader: Reader, own: Own, *, seen: datetime | None = None, status: int = 200
) -> Response:
    return own_answer(
        request,
        "me/reactivate.html",
        reader,
        own,
        status=status,
        expected=own.standing.updated_at.isoformat(),
        key=new_key(),
        conflict_since=seen,
    )


def _another_day(
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
        "me/return.html",
        reader,
        own,
        status=status,
        form=form,
        expected=expected.isoformat(),
        key=new_key(),
        conflict_since=seen,
    )
