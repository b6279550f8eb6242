"""`/me/…/profile`: what the public page of the chapter shows of a mentor, as they want it, and as it will look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from babel import Locale, UnknownLocaleError
from fastapi import APIRouter, Request, Response

from peerpause.errors import Conflict, InvalidArgument
from peerpause.roster.texts import PAGE_WORDS
from peerpause.status.standing import save_profile
from peerpause.web.forms import Form, read_form
from peerpause.web.own import Own, expected_of, own_answer, read_own, sessions_of
from peerpause.web.pages import language_of, see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_OFFERED: Final = ("nb", "nn", "en", "nsl", "se", "sma", "smj", "ar", "da", "de", "es", "fa", "fr", "pl", "ru", "so", "sv", "ti", "uk", "ur")  # fmt: skip
_MOST_LANGUAGES: Final = 10
_LONGEST_PRESENTATION: Final = 600
_LONGEST_CONTACT: Final = 200
_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@router.get("/me/{mentor_id}/profile")
async def show(request: Request, mentor_id: UUID, reader: Reading, done: str | None = None) -> Response:
    """The profile as it is, to be changed."""
    own = await read_own(request, reader, mentor_id)
    profile = own.standing.profile
    form = Form(
        words_of(request, reader),
        values={
            "presentation": profile.presentation or "",
            "contact": profile.contact or "",
            "listed": "yes" if profile.listed else "no",
        },
        lists={"languages": list(profile.languages)},
    )
    return _form(request, reader, own, form, expected=own.standing.updated_at, done=done)


@router.post("/me/{mentor_id}/profile")
async def save(request: Request, mentor_id: UUID, reader: Writing) -> Response:
    """Show this from now on."""
    form = await read_form(request, words_of(request, reader))
    own = await read_own(request, reader, mentor_id)
    words = form.words
    listed = form.choice(
        "listed", ("yes", "no"), words.gettext("Choose whether you want to be on the public page.")
    )
    languages = _languages(form)
    presentation = form.text("presentation", longest=_LONGEST_PRESENTATION)
    contact = form.text("contact", longest=_LONGEST_CONTACT)
    expected = expected_of(form, own)
    if not form.is_good:
        return _form(request, reader, own, form, expected=expected, status=422)
    try:
        await save_profile(
            sessions_of(request),
            reader.claims,
            mentor_id,
            listed=listed == "yes",
            languages=languages,
            presentation=presentation,
            contact=contact,
            expected_updated_at=expected,
        )
    except Conflict:
        return _form(request, reader, own, form, expected=own.standing.updated_at, seen=expected, status=409)
    except InvalidArgument as error:
        field, sentence = _refusal(error, form)
        form.refuse(field, sentence)
        return _form(request, reader, own, form, expected=expected, status=422)
    return see_other(f"{own.path}/profile", done="saved")


def _form(
    request: Request,
    reader: Reader,
    own: Own,
    form: Form,
    *,
    expected: datetime,
    seen: datetime | None = None,
    done: str | None = None,
    status: int = 200,
) -> Response:
    language = language_of(request, reader)
    return own_answer(
        request,
        "me/profile.html",
        reader,
        own,
        status=status,
        form=form,
        expected=expected.isoformat(),
        languages_offered=_offered(own, form, language),
        language_names=[language_name(tag, language) for tag in own.standing.profile.languages],
        conflict_since=seen,
        done=done,
    )


def language_name(tag: str, language: str) -> str:
    """What a language is called in the reader's, or its tag where nobody has a name for it."""
    known = PAGE_WORDS[language].language_names if language in PAGE_WORDS else {}
    if tag in known:
        return known[tag]
    try:
        return Locale.parse(tag, sep="-").get_display_name(language) or tag
    except (UnknownLocaleError, ValueError):
        return tag


def _offered(own: Own, form: Form, language: str) -> Mapping[str, str]:
    """The languages to tick: the usual ones, and whatever this mentor has or has ticked besides."""
    tags = dict.fromkeys((*_OFFERED, *own.standing.profile.languages, *_ticked(form)))
    return {tag: language_name(tag, language) for tag in tags}


def _ticked(form: Form) -> list[str]:
    return [tag for tag in dict.fromkeys(form.lists.get("languages", [])) if _TAG.fullmatch(tag)]


def _languages(form: Form) -> list[str]:
    ticked = _ticked(form)
    if len(ticked) > _MOST_LANGUAGES:
        form.refuse(
            "languages",
            form.words.gettext("Choose at most %(count)s languages.") % {"count": _MOST_LANGUAGES},
        )
    return ticked


def _refusal(error: InvalidArgument, form: Form) -> tuple[str, str]:
    """Which field the database refused, and the sentence for it."""
    words = form.words
    if "contact" in error.message:
        return "contact", words.gettext(
            "Write one e-mail address, one phone number, or a web address that begins with https://."
        )
    if "language" in error.message:
        return "languages", words.gettext("One of the languages cannot be shown. Choose others.")
    return "presentation", words.gettext(
        "The text holds characters that cannot be seen. Write it anew with the keyboard."
    )
