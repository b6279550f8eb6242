"""`/admin/…/deliveries`: what was to reach whom and how that went, and another try for what did not arrive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.directory.records import DeliveryFilter, Records
from peerpause.errors import InvalidArgument
from peerpause.web import admin_words
from peerpause.web.admin import Administered
from peerpause.web.forms import Form, day_begins, read_form
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.reader import Organisation, Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SIZE: Final = 50
_FILTERS: Final = ("state", "channel", "outcome", "since", "until")


@router.get("/admin/{organisation_id}/deliveries")
async def show(
    request: Request,
    reader: Reading,
    organisation: Administered,
    before: UUID | None = None,
    done: str | None = None,
    count: int = 0,
) -> Response:
    """The delivery log, filtered and a page at a time as the address says."""
    words = words_of(request, reader)
    form = Form(words, values={name: request.query_params.get(name, "") for name in _FILTERS})
    wanted = _wanted(form, organisation)
    records = _records(request, reader, organisation)
    found = await records.deliveries(wanted, limit=_SIZE + 1, before=before)
    shown = found[:_SIZE]
    counts = await records.delivery_counts(wanted)
    chosen = {name: form.value(name) for name in _FILTERS if form.value(name)}
    return page(
        request,
        "admin/deliveries.html",
        reader=reader,
        organisation=organisation,
        form=form,
        deliveries=shown,
        counts=counts,
        to_retry=counts.to_retry(wanted),
        chosen=chosen,
        is_first=before is None,
        next_address=_address(**chosen, before=str(shown[-1].id)) if len(found) > _SIZE else None,
        states=admin_words.states(words),
        channels=admin_words.channels(words),
        outcomes=admin_words.outcomes(words),
        events=admin_words.events(words),
        done=done,
        retried=max(0, count),
    )


@router.post("/admin/{organisation_id}/deliveries/retry")
async def retry(request: Request, reader: Writing, organisation: Administered) -> Response:
    """Another try for one delivery, or for all that did not arrive and that the filters let through."""
    form = await read_form(request, words_of(request, reader))
    records = _records(request, reader, organisation)
    chosen = form.ids("delivery")
    if chosen:
        count = await records.retry(chosen[0])
    else:
        wanted = _wanted(form, organisation)
        if not form.is_good:
            raise InvalidArgument("The filters make no sense.", hint="Open the page again.")
        count = await records.retry_all(wanted)
    kept = {name: form.value(name) for name in _FILTERS if form.value(name)}
    here = f"/admin/{organisation.organisation_id}/deliveries"
    return see_other(here, **kept, done="retried", count=count)


def _records(request: Request, reader: Reader, organisation: Organisation) -> Records:
    return Records(
        sessions=request.app.state.services.sessions,
        caller=reader.claims,
        organisation_id=organisation.organisation_id,
    )


def _wanted(form: Form, organisation: Organisation) -> DeliveryFilter:
    """The filters; one that makes no sense is said in the form and lets everything through."""
    since, until = form.day("since"), form.day("until")
    zone = organisation.time_zone
    return DeliveryFilter(
        states=_one_of(form, "state", admin_words.states(form.words)),
        channel=next(iter(_one_of(form, "channel", admin_words.channels(form.words)) or ()), None),
        outcome=next(iter(_one_of(form, "outcome", admin_words.outcomes(form.words)) or ()), None),
        since=None if since is None else day_begins(since, zone),
        until=None if until is None else day_begins(until + timedelta(days=1), zone),
    )


def _one_of(form: Form, name: str, choices: Mapping[str, str]) -> tuple[str, ...] | None:
    chosen = form.value(name)
    return (chosen,) if chosen in choices else None


def _address(**query: str) -> str:
    return f"?{urlencode(query)}"
