"""`/mentors/{mentor_id}/return-date`: move the day on which a paused mentor is expected back, while the pause goes on."""

from __future__ import annotations

import secrets
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.errors import Conflict, InvalidArgument
from peerpause.status.rules import MentorStatus
from peerpause.status.service import MentorStatusService
from peerpause.web.changing import changed_by, expected_by
from peerpause.web.forms import Form, read_form
from peerpause.web.mentor import Somebody, is_self, somebody
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute, in_words

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/mentors/{mentor_id}/return-date")
async def form_of(request: Request, reader: Reading, mentor_id: UUID) -> Response:
    """The form, with the day as it stands."""
    if is_self(reader, mentor_id):
        return see_other(f"/me/{mentor_id}")
    who = await somebody(request, reader, mentor_id)
    if who.standing.record.status is not MentorStatus.PAUSED:
        return see_other(who.path)
    return _shown(request, reader, who, Form(words=words_of(request, reader)))


@router.post("/mentors/{mentor_id}/return-date")
async def sent(request: Request, reader: Writing, mentor_id: UUID) -> Response:
    """The day moves, or is taken away where the field was left empty."""
    form = await read_form(request, words_of(request, reader))
    who = await somebody(request, reader, mentor_id)
    day = form.day("return_on")
    if day is not None and day < who.standing.today:
        form.refuse("return_on", form.words.gettext("Give today or a later day, or none."))
    if not form.is_good:
        return _shown(request, reader, who, form)
    service: MentorStatusService = request.app.state.services.status(reader.claims)
    try:
        await service.update_expected_return(
            mentor_id,
            day,
            expected_updated_at=expected_by(form),
            idempotency_key=form.value("key")[:100] or None,
        )
    except (Conflict, InvalidArgument) as error:
        who = await somebody(request, reader, mentor_id)
        return _shown(
            request,
            reader,
            who,
            form,
            refusal=in_words(error, form.words),
            is_conflict=isinstance(error, Conflict),
        )
    return see_other(who.path, done="return-date")


def _shown(
    request: Request,
    reader: Reader,
    who: Somebody,
    form: Form,
    *,
    refusal: str | None = None,
    is_conflict: bool = False,
) -> Response:
    record = who.standing.record
    starts_anew = is_conflict or not form.value("expected")
    return page(
        request,
        "mentors/return_date.html",
        reader=reader,
        status=409 if is_conflict else 400 if refusal or form.problems else 200,
        who=who,
        record=record,
        form=form,
        expected=record.updated_at.isoformat() if starts_anew else form.value("expected"),
        key=secrets.token_urlsafe(18) if starts_anew else form.value("key"),
        refusal=refusal,
        is_conflict=is_conflict,
        is_possible=record.status is MentorStatus.PAUSED,
        changed_by=changed_by(who, form.words),
    )
