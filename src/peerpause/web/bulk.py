"""`/mentors/bulk`: one change for those who were ticked in the list: who and what first, then a confirmation, then how it went with each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, get_args
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from peerpause.database.session import Sessions
from peerpause.directory.mentors import ChosenMentor, left_alone, read_mentors
from peerpause.status.many import DONE, MOST_AT_ONCE, ManyAction, Order, change_many, read_tally
from peerpause.status.rules import MAX_NOTE_LENGTH, MentorStatus
from peerpause.web.changing import LEAVING_REASONS, PAUSE_REASONS
from peerpause.web.forms import Form, read_form
from peerpause.web.languages import Words
from peerpause.web.pages import page, reasons_in, see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_ACTIONS: Final[Mapping[str, ManyAction]] = {each: each for each in get_args(ManyAction)}
_BECOMES: Final[Mapping[ManyAction, MentorStatus]] = {
    "pause": MentorStatus.PAUSED,
    "reactivate": MentorStatus.ACTIVE,
    "deactivate": MentorStatus.INACTIVE,
}


@router.post("/mentors/bulk")
async def choose(request: Request, reader: Writing) -> Response:
    """Whoever was ticked in the list, and the form for what shall be done; or, confirmed, the change itself."""
    form = await read_form(request, words_of(request, reader))
    action = _ACTIONS.get(form.value("action"))
    back = _back(form)
    if action is None or not form.ids("mentor"):
        return see_other(f"/mentors{back}{'&' if back != '?' else ''}done=nobody-chosen")
    if form.value("step") != "confirm":
        return await _shown(request, reader, form, action)
    order = _order(form, action)
    if not form.is_good:
        return await _shown(request, reader, form, action)
    sessions: Sessions = request.app.state.services.sessions
    service = request.app.state.services.status(reader.claims)
    await change_many(sessions, service, reader.web.session.user_id, order)
    return see_other(f"/mentors/bulk/{order.order_id}")


@router.get("/mentors/bulk/{order_id}")
async def outcome(request: Request, reader: Reading, order_id: UUID) -> Response:
    """How it went with each."""
    sessions: Sessions = request.app.state.services.sessions
    words = words_of(request, reader)
    tally = await read_tally(sessions, reader.web.session.user_id, order_id)
    mentors = await read_mentors(sessions, reader.claims, list(tally.outcomes))
    seen = {each.mentor_id for each in mentors}
    told = [(each, tally.outcomes[each.mentor_id]) for each in mentors]
    return page(
        request,
        "mentors/bulk_outcome.html",
        reader=reader,
        tally=tally,
        done=[who for who, code in told if code == DONE],
        refused=[(who, _why_refused(code, words)) for who, code in told if code not in (DONE, None)],
        waiting=[who for who, code in told if code is None],
        out_of_sight=len(tally.outcomes) - len(seen),
    )


async def _shown(request: Request, reader: Reader, form: Form, action: ManyAction) -> Response:
    sessions: Sessions = request.app.state.services.sessions
    chosen = await read_mentors(sessions, reader.claims, form.ids("mentor")[:MOST_AT_ONCE])
    offered = {"pause": PAUSE_REASONS, "deactivate": LEAVING_REASONS, "reactivate": ()}[action]
    organisations = {each.organisation_id for each in chosen}
    one = next(iter(organisations)) if len(organisations) == 1 else reader.organisations[0].organisation_id
    reasons = await reasons_in(request, reader, one)
    changing = [each for each in chosen if _why_not(each, action, form.words) is None]
    leaving = [each.mentor_id for each in changing if each.status is MentorStatus.ACTIVE]
    return page(
        request,
        "mentors/bulk.html",
        reader=reader,
        status=400 if form.problems else 200,
        form=form,
        action=action,
        becomes=_BECOMES[action],
        offered={each.value: reasons.get(each.value, each.value) for each in offered},
        order_id=form.value("order") or str(uuid4()),
        back=_back(form),
        changing=changing,
        staying=[(each, why) for each in chosen if (why := _why_not(each, action, form.words)) is not None],
        missing=len(form.ids("mentor")) - len(chosen),
        most=MOST_AT_ONCE,
        left_alone=() if action == "reactivate" else await left_alone(sessions, reader.claims, leaving),
    )


def _order(form: Form, action: ManyAction) -> Order:
    words = form.words
    reason, note, return_on = None, None, None
    if action != "reactivate":
        known = PAUSE_REASONS if action == "pause" else LEAVING_REASONS
        reason = form.choice("reason", [each.value for each in known], words.gettext("Choose a reason."))
        note = form.text("note", longest=MAX_NOTE_LENGTH)
    if action == "pause":
        return_on = form.day("return_on")
        if return_on is not None and return_on < date.today():
            form.refuse("return_on", words.gettext("Give today or a later day, or none."))
    mentor_ids = tuple(form.ids("mentor")[:MOST_AT_ONCE])
    try:
        order_id = UUID(form.value("order"))
    except ValueError:
        order_id = uuid4()
    return Order(
        order_id=order_id,
        action=action,
        mentor_ids=mentor_ids,
        reason=reason,
        note=note,
        expected_return_on=return_on,
    )


def _why_not(who: ChosenMentor, action: ManyAction, words: Words) -> str | None:
    """What stands in the way for this one, as far as can be seen now."""
    if who.status is _BECOMES[action]:
        return words.gettext("is so already")
    if who.status is MentorStatus.INACTIVE:
        return words.gettext("has left, and is entered anew to come back")
    if action == "reactivate" and who.blocking_lapse is not None:
        return words.gettext("needs a certificate that is valid")
    return None


def _why_refused(code: str | None, words: Words) -> str:
    sentences = {
        "already_paused": words.gettext("Was on pause already."),
        "already_active": words.gettext("Was active already."),
        "invalid_transition": words.gettext("Has left already, or cannot do this from the present status."),
        "certification_expired": words.gettext("A certificate that is required has run out. Renew it first."),
        "permission_denied": words.gettext("Is not yours to change any more."),
        "mentor_not_found": words.gettext("Is not here any more."),
        "conflict": words.gettext("Somebody else was changing them just then. Try again."),
    }
    return sentences.get(
        code or "", words.gettext("Was refused. Open the page of this person and try it there.")
    )


def _back(form: Form) -> str:
    """The list's own address, as it said itself."""
    back = form.value("back", "?")
    return back if back.startswith("?") and back.isprintable() and len(back) < 2000 else "?"
