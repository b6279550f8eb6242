"""`/settings`: how a person wants to be told, in which language, which devices get their pushes, and everything kept about them."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Final

from fastapi import APIRouter, Request, Response

from peerpause.errors import InvalidArgument
from peerpause.notifications.preferences import OwnPreferences, OwnSettings, Preferences
from peerpause.web.forms import Form, read_form
from peerpause.web.languages import LANGUAGES
from peerpause.web.own import sessions_of
from peerpause.web.pages import LANGUAGE_COOKIE, page, see_other, words_of
from peerpause.web.person_files import person_file
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_YEAR: Final = 365 * 24 * 3600
_WAYS: Final = ("push", "email", "inbox")


@router.get("/settings")
async def show(request: Request, reader: Reading, done: str | None = None) -> Response:
    """The settings as they are."""
    found = await _own(request, reader).read()
    form = Form(words_of(request, reader), values=_values(found.preferences or Preferences()))
    return _page(request, reader, found, form, done=done)


@router.post("/settings")
async def save(request: Request, reader: Writing) -> Response:
    """From now on like this."""
    form = await read_form(request, words_of(request, reader))
    own = _own(request, reader)
    wanted = _read(form)
    if wanted is None:
        return _page(request, reader, await own.read(), form, status=422)
    try:
        kept = await own.save(wanted)
    except InvalidArgument:
        form.refuse("time_zone", form.words.gettext("Choose a time zone from the list."))
        return _page(request, reader, await own.read(), form, status=422)
    answer = see_other("/settings", done="saved")
    if kept.language is None:
        answer.delete_cookie(LANGUAGE_COOKIE)
    else:
        answer.set_cookie(LANGUAGE_COOKIE, kept.language, max_age=_YEAR, httponly=True, samesite="lax")
    return answer


@router.post("/settings/devices/release")
async def release(request: Request, reader: Writing) -> Response:
    """One of the reader's devices gets no more pushes."""
    form = await read_form(request, words_of(request, reader))
    await _own(request, reader).release(form.value("device"))
    return see_other("/settings", done="released")


@router.get("/settings/everything.{form}")
async def everything(request: Request, reader: Reading, form: str) -> Response:
    """Everything that is kept about the reader, in every organisation, as a file."""
    return await person_file(request, reader, reader.web.session.user_id, form)


def _page(
    request: Request,
    reader: Reader,
    found: OwnSettings,
    form: Form,
    *,
    done: str | None = None,
    status: int = 200,
) -> Response:
    words = form.words
    as_usual = {"": words.gettext("As the organisation")}
    zones = {**as_usual, **{name: name.replace("_", " ") for name in time_zones()}}
    zones.setdefault(form.value("time_zone"), form.value("time_zone"))
    return page(
        request,
        "settings.html",
        reader=reader,
        status=status,
        form=form,
        settings=found,
        zones=zones,
        language_choices={**as_usual, **LANGUAGES},
        ways={
            "push": words.gettext("By a message on my phone"),
            "email": words.gettext("By e-mail to %(address)s") % {"address": found.email or "–"},
            "inbox": words.gettext("Send nothing to my phone"),
        },
        done=done,
    )


def _read(form: Form) -> Preferences | None:
    words = form.words
    way = form.choice("way", _WAYS, words.gettext("Choose how you want to be told."))
    language = form.choice("language", ("", *LANGUAGES), words.gettext("Choose a language."))
    quiet_from, quiet_until = form.clock("quiet_from"), form.clock("quiet_until")
    if form.is_good and (quiet_from is None) != (quiet_until is None):
        missing = "quiet_from" if quiet_from is None else "quiet_until"
        form.refuse(
            missing, words.gettext("Quiet hours have a beginning and an end. Write both, or neither.")
        )
    if not form.is_good:
        return None
    return Preferences(
        push_enabled=way == "push",
        email_preferred=way == "email",
        language=language or None,
        time_zone=form.text("time_zone", longest=100),
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )


def _values(kept: Preferences) -> dict[str, str]:
    return {
        "way": _way(kept),
        "language": kept.language or "",
        "time_zone": kept.time_zone or "",
        "quiet_from": "" if kept.quiet_from is None else f"{kept.quiet_from:%H:%M}",
        "quiet_until": "" if kept.quiet_until is None else f"{kept.quiet_until:%H:%M}",
    }


def _way(kept: Preferences) -> str:
    if kept.email_preferred:
        return "email"
    return "push" if kept.push_enabled else "inbox"


@cache
def time_zones() -> tuple[str, ...]:
    """Where our people may be: Europe, and the islands around it."""
    near = ("Europe/", "Atlantic/", "Arctic/")
    return tuple(sorted(name for name in zoneinfo.available_timezones() if name.startswith(near)))


def _own(request: Request, reader: Reader) -> OwnPreferences:
    return OwnPreferences(sessions=sessions_of(request), caller=reader.claims)
