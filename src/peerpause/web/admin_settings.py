"""`/admin/…/settings`: an organisation's settings and its own words, changed with everything that was changed before in sight."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.directory.administration import OrganisationSettings
from peerpause.errors import Conflict
from peerpause.notifications.texts import reason_labels
from peerpause.web.admin import Administered, administration
from peerpause.web.forms import Form, read_form
from peerpause.web.languages import LANGUAGES
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.reader import Organisation, Reader, Reading, Writing
from peerpause.web.refusals import PageRoute, in_words

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_MOST_DAYS: Final = 10


@router.get("/admin/{organisation_id}/settings")
async def show(
    request: Request, reader: Reading, organisation: Administered, done: str | None = None
) -> Response:
    """The settings as they are."""
    found = await administration(request, reader, organisation.organisation_id).settings()
    form = Form(words_of(request, reader), values=_typed(found))
    return await _page(request, reader, organisation, form, done=done)


@router.post("/admin/{organisation_id}/settings")
async def change(request: Request, reader: Writing, organisation: Administered) -> Response:
    """From now on like this; refused where somebody else changed them meanwhile, with what was typed still there."""
    form = await read_form(request, words_of(request, reader))
    values = _read(form)
    if not form.is_good:
        return await _page(request, reader, organisation, form, status=422)
    here = administration(request, reader, organisation.organisation_id)
    try:
        await here.change_settings(values, seen_change=_seen(form))
    except Conflict as conflict:
        latest = (await here.settings()).change_id
        kept = Form(form.words, values={**form.values, "seen_change": str(latest or "")}, lists=form.lists)
        sentence = in_words(conflict, form.words)
        return await _page(request, reader, organisation, kept, status=409, conflict=sentence)
    return see_other(f"/admin/{organisation.organisation_id}/settings", done="saved")


async def _page(
    request: Request,
    reader: Reader,
    organisation: Organisation,
    form: Form,
    *,
    status: int = 200,
    done: str | None = None,
    conflict: str | None = None,
) -> Response:
    changes = await administration(request, reader, organisation.organisation_id).changes()
    zones = {name: name.replace("_", " ") for name in _zones()}
    zones.setdefault(form.value("time_zone"), form.value("time_zone"))
    return page(
        request,
        "admin/settings.html",
        reader=reader,
        status=status,
        organisation=organisation,
        form=form,
        zones=zones,
        reasons={language: reason_labels(language) for language in LANGUAGES},
        changes=changes,
        done=done,
        conflict=conflict,
    )


def _typed(found: OrganisationSettings) -> Mapping[str, str]:
    """The settings as they stand in the fields."""
    values = found.values
    typed = {
        "seen_change": str(found.change_id or ""),
        "role_word": values["role_word"] or "",
        "role_word_plural": values["role_word_plural"] or "",
        "language": values["language"],
        "time_zone": values["time_zone"],
        "required_certification_kinds": ", ".join(values["required_certification_kinds"]),
        "push_detail": values["push_detail"],
        "reminder_days": ", ".join(map(str, values["reminder_days"])),
        "return_reminder_days": ", ".join(map(str, values["return_reminder_days"])),
        **({"auto_return": "yes"} if values["auto_return"] else {}),
    }
    for reason, labels in values["reason_labels"].items():
        typed |= {f"label-{reason}-{language}": label for language, label in labels.items()}
    return typed


def _read(form: Form) -> Mapping[str, Any]:
    """The settings that were sent; what is wrong is said in the form."""
    words = form.words
    return {
        "role_word": form.text("role_word", longest=60),
        "role_word_plural": form.text("role_word_plural", longest=60),
        "language": form.choice("language", LANGUAGES, words.gettext("Choose a language.")),
        "time_zone": form.choice("time_zone", _zones(), words.gettext("Choose a time zone from the list.")),
        "required_certification_kinds": _kinds(form),
        "push_detail": form.choice(
            "push_detail", ("first_name", "minimal"), words.gettext("Choose what a push may say.")
        ),
        "reminder_days": _days(form, "reminder_days"),
        "return_reminder_days": _days(form, "return_reminder_days"),
        "auto_return": form.is_ticked("auto_return"),
        "reason_labels": {
            reason: labels for reason in reason_labels("en") if (labels := _labels(form, reason))
        },
    }


def _labels(form: Form, reason: str) -> Mapping[str, str]:
    found = {language: form.text(f"label-{reason}-{language}", longest=100) for language in LANGUAGES}
    return {language: label for language, label in found.items() if label}


def _kinds(form: Form) -> Sequence[str]:
    kinds = _parts(form.value("required_certification_kinds"))
    if any(not _KIND.fullmatch(kind) for kind in kinds):
        form.refuse(
            "required_certification_kinds",
            form.words.gettext(
                "A kind of certificate begins with a small letter and has only small letters a to z, digits and _."
            ),
        )
    return kinds


def _days(form: Form, name: str) -> Sequence[int]:
    parts = _parts(form.value(name))
    good = all(part.isascii() and part.isdigit() and len(part) < 4 and int(part) <= 365 for part in parts)
    if not good or len(parts) > _MOST_DAYS:
        form.refuse(
            name,
            form.words.gettext(
                "Write at most ten whole numbers of days from 0 to 365, with commas between, for example 60, 30, 7."
            ),
        )
        return []
    return sorted({int(part) for part in parts}, reverse=True)


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part for part in re.split(r"[,;\s]+", text) if part))


def _seen(form: Form) -> UUID | None:
    try:
        return UUID(form.value("seen_change"))
    except ValueError:
        return None


@cache
def _zones() -> Sequence[str]:
    return sorted(
        name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/")
    )
