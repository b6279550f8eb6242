"""`/certificates/{mentor}/renew`: recording that a certificate was renewed. A form, a review of what will happen, and what did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from peerpause.certifications.renewing import Renewable, read_renewable, renew_unless_overtaken
from peerpause.database.session import Sessions
from peerpause.errors import Conflict
from peerpause.web.certificates import kind_in, kind_word
from peerpause.web.forms import Form, read_form
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_OTHER: Final = "other"
_DEFAULT_KIND: Final = "peer_mentor"
_LONGEST_KIND: Final = 100
_LONGEST_NOTE: Final = 2000
_LONGEST_KEY: Final = 100


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the form says, once it makes sense."""

    kind: str
    issued_on: date
    expires_on: date | None
    note: str | None


@router.get("/certificates/{mentor_id}/renew")
async def renewal_form(request: Request, reader: Reading, mentor_id: UUID) -> Response:
    """What the mentor has, and the form for the new certificate."""
    mentor = await read_renewable(_sessions(request), reader.claims, mentor_id)
    kinds = _kinds(request, reader, mentor)
    first = next(iter(kinds)) if len(mentor.kinds) <= 1 else ""
    form = Form(words=words_of(request, reader), values={"kind": first, "key": str(uuid4())})
    return _form_page(request, reader, mentor, form)


@router.post("/certificates/{mentor_id}/renew")
async def renew(request: Request, reader: Writing, mentor_id: UUID) -> Response:
    """Read the form; show what it would do, or do it: as the button says that was pressed."""
    form = await read_form(request, words_of(request, reader))
    mentor = await read_renewable(_sessions(request), reader.claims, mentor_id)
    step = form.value("step")
    if step == "change":
        return _form_page(request, reader, mentor, form, seen=form.value("seen"))
    wanted = _read(form, mentor)
    if wanted is None:
        return _form_page(request, reader, mentor, form, seen=form.value("seen"), status=422)
    if step != "record":
        return _review_page(request, reader, mentor, form, wanted)
    try:
        renewal = await renew_unless_overtaken(
            _sessions(request),
            reader.claims,
            mentor_id,
            seen=form.value("seen"),
            kind=wanted.kind,
            issued_on=wanted.issued_on,
            expires_on=wanted.expires_on,
            note=wanted.note,
            idempotency_key=form.value("key")[:_LONGEST_KEY] or str(uuid4()),
        )
    except Conflict:
        mentor = await read_renewable(_sessions(request), reader.claims, mentor_id)
        fresh = Form(words=form.words, values={**form.values, "key": str(uuid4())})
        return _form_page(request, reader, mentor, fresh, is_overtaken=True, status=409)
    request.app.state.services.bell.ring()
    done = "back" if renewal.reactivated else "recorded"
    return see_other(f"/certificates/{mentor_id}/renewed", done=done)


@router.get("/certificates/{mentor_id}/renewed")
async def renewed(request: Request, reader: Reading, mentor_id: UUID, done: str = "") -> Response:
    """How things stand after a renewal."""
    mentor = await read_renewable(_sessions(request), reader.claims, mentor_id)
    return page(
        request,
        "certificates/renewed.html",
        reader=reader,
        mentor=mentor,
        done=done,
        organisation=reader.organisation(mentor.organisation_id),
        kind_word=kind_word,
    )


def _read(form: Form, mentor: Renewable) -> _Wanted | None:
    """What the form says; None, and the sentences in it, where that makes no valid certificate."""
    words = form.words
    kind = form.choice(
        "kind", [*_offered(mentor), _OTHER], words.gettext("Choose which certificate was renewed.")
    )
    if kind == _OTHER:
        kind = form.required_text(
            "other_kind", words.gettext("Write what the certificate is called."), longest=_LONGEST_KIND
        )
    issued_on, expires_on = form.day("issued_on"), form.day("expires_on")
    is_endless = form.is_ticked("endless")
    if issued_on is None:
        form.refuse("issued_on", words.gettext("Write the first day on which the certificate is valid."))
    elif issued_on > mentor.today:
        form.refuse(
            "issued_on",
            words.gettext("The first day cannot lie ahead. Record the renewal when that day has come."),
        )
    if expires_on is None and not is_endless:
        form.refuse(
            "expires_on",
            words.gettext(
                "Write the last day on which the certificate is valid, or tick that it has no end."
            ),
        )
    elif expires_on is not None and is_endless:
        form.refuse(
            "expires_on", words.gettext("Either the certificate has a last day, or it has no end: not both.")
        )
    elif expires_on is not None and issued_on is not None and expires_on < issued_on:
        form.refuse("expires_on", words.gettext("The last day cannot come before the first day."))
    elif expires_on is not None and expires_on < mentor.today:
        form.refuse(
            "expires_on",
            words.gettext(
                "The last day is over already, so the certificate would not be valid. Check the year."
            ),
        )
    note = form.text("note", longest=_LONGEST_NOTE)
    if not form.is_good or kind is None or issued_on is None:
        return None
    return _Wanted(kind, issued_on, expires_on, note)


def _form_page(
    request: Request,
    reader: Reader,
    mentor: Renewable,
    form: Form,
    *,
    seen: str | None = None,
    is_overtaken: bool = False,
    status: int = 200,
) -> Response:
    return page(
        request,
        "certificates/renew.html",
        reader=reader,
        status=status,
        form=form,
        kinds=_kinds(request, reader, mentor),
        is_overtaken=is_overtaken,
        newest=max(mentor.certificates, key=lambda each: each.recorded_at, default=None),
        seen=mentor.seen if seen is None else seen,
        **_about(reader, mentor),
    )


def _review_page(
    request: Request, reader: Reader, mentor: Renewable, form: Form, wanted: _Wanted
) -> Response:
    return page(
        request,
        "certificates/review.html",
        reader=reader,
        form=form,
        wanted=wanted,
        ends_pause=mentor.ends_pause(wanted.kind, wanted.issued_on, wanted.expires_on),
        is_required=wanted.kind in mentor.kinds,
        **_about(reader, mentor),
    )


def _about(reader: Reader, mentor: Renewable) -> dict[str, Any]:
    return {
        "mentor": mentor,
        "organisation": reader.organisation(mentor.organisation_id),
        "kind_word": kind_word,
    }


def _offered(mentor: Renewable) -> list[str]:
    return list(mentor.kinds) or [_DEFAULT_KIND]


def _kinds(request: Request, reader: Reader, mentor: Renewable) -> Mapping[str, str]:
    organisation = reader.organisation(mentor.organisation_id)
    offered = {kind: kind_in(request, kind, organisation) for kind in _offered(mentor)}
    return {**offered, _OTHER: words_of(request, reader).gettext("Another certificate")}


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.services.sessions
    return sessions
