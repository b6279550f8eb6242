"""`/me/…/pause`: a mentor takes a break. First what it means and the form, then what will happen, then the change itself.

Nothing typed is ever in an address: the review carries it along, and gives it back to whoever wants to change something.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.errors import AlreadyPaused, Conflict, InvalidArgument, InvalidTransition
from peerpause.status.rules import MentorStatus
from peerpause.web.forms import Form, read_form
from peerpause.web.own import Own, expected_of, key_of, new_key, own_answer, read_own, status_service
from peerpause.web.pages import see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute, in_words
from peerpause.web.wishes import PAUSE_REASONS, PauseWish, read_pause

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_TYPED: Final = ("reason", "note", "start", "start_on", "start_time", "length", "return_on")


@router.get("/me/{mentor_id}/pause")
async def ask(request: Request, mentor_id: UUID, reader: Reading) -> Response:
    """What a pause means, and the form. A planned pause is in it already, to be planned anew."""
    own = await read_own(request, reader, mentor_id)
    if own.status is not MentorStatus.ACTIVE:
        return see_other(own.path)
    form = Form(words_of(request, reader), values=_planned_before(own))
    return _form(request, reader, own, form, expected=own.standing.updated_at)


@router.post("/me/{mentor_id}/pause")
async def pause(request: Request, mentor_id: UUID, reader: Writing) -> Response:
    """One step on: from the form to the review, back to the form, or from the review to the pause."""
    form = await read_form(request, words_of(request, reader))
    own = await read_own(request, reader, mentor_id)
    expected = expected_of(form, own)
    if form.value("step") == "change":
        return _form(request, reader, own, form, expected=expected)
    wish = read_pause(form, today=own.standing.today, zone=own.zone, now=datetime.now(UTC))
    if wish is None:
        return _form(request, reader, own, form, expected=expected, status=422)
    if form.value("step") != "confirm":
        return _review(request, reader, own, form, wish, expected=expected)
    return await _pause(request, reader, own, form, wish, expected=expected)


async def _pause(
    request: Request, reader: Reader, own: Own, form: Form, wish: PauseWish, *, expected: datetime
) -> Response:
    try:
        record = await status_service(request, reader).pause_mentor(
            own.mentor_id,
            wish.reason,
            pause_at=wish.starts_at,
            expected_return_on=wish.return_on,
            note=wish.note,
            expected_updated_at=expected,
            idempotency_key=key_of(form),
        )
    except AlreadyPaused:
        return see_other(own.path, done="already_paused")
    except InvalidTransition:
        return see_other(own.path, done="not_possible")
    except Conflict:
        if own.status is MentorStatus.PAUSED:
            return see_other(own.path, done="already_paused")
        # With the row as it is now, so that whoever still wants the pause need only say so.
        return _review(
            request, reader, own, form, wish, expected=own.standing.updated_at, seen=expected, status=409
        )
    except InvalidArgument as error:
        form.refuse("start", in_words(error, form.words))
        return _form(request, reader, own, form, expected=own.standing.updated_at, status=422)
    return see_other(own.path, done="paused" if record.status is MentorStatus.PAUSED else "planned")


def _form(
    request: Request, reader: Reader, own: Own, form: Form, *, expected: datetime, status: int = 200
) -> Response:
    return own_answer(
        request,
        "me/pause.html",
        reader,
        own,
        status=status,
        form=form,
        expected=expected.isoformat(),
        choices={code.value: own.reasons[code] for code in PAUSE_REASONS},
    )


def _review(
    request: Request,
    reader: Reader,
    own: Own,
    form: Form,
    wish: PauseWish,
    *,
    expected: datetime,
    seen: datetime | None = None,
    status: int = 200,
) -> Response:
    return own_answer(
        request,
        "me/pause_review.html",
        reader,
        own,
        status=status,
        wish=wish,
        typed={name: form.value(name) for name in _TYPED},
        expected=expected.isoformat(),
        key=new_key(),
        conflict_since=seen,
    )


def _planned_before(own: Own) -> dict[str, Any]:
    planned = own.standing.planned
    if planned is None:
        return {}
    starts_at = planned.starts_at.astimezone(own.clock)
    return {
        "reason": planned.reason,
        "note": planned.note or "",
        "start": "later",
        "start_on": starts_at.date().isoformat(),
        "start_time": f"{starts_at:%H:%M}",
        "length": "open" if planned.expected_return_on is None else "day",
        "return_on": "" if planned.expected_return_on is None else planned.expected_return_on.isoformat(),
    }
