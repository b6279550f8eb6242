"""`/admin/…/webhooks`: the websites that are told of changes to the public roster, and the secret for certificate updates from outside.

A secret is shown in the answer to the form that made it, and never again. Such an answer cannot be a redirect, so the form carries a
key: sent again, by a reload or a double click, it makes nothing new.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from peerpause.errors import InvalidArgument, NotFound
from peerpause.roster.endpoints import Endpoint, WebhookEndpoints
from peerpause.web.admin import Administered
from peerpause.web.forms import Form, read_form
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.reader import Organisation, Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LATEST: Final = 20
_LONGEST_ADDRESS: Final = 2000
_LEASE: Final = 3600


@router.get("/admin/{organisation_id}/webhooks")
async def show(
    request: Request, reader: Reading, organisation: Administered, done: str | None = None
) -> Response:
    """The endpoints, how it goes with each, and the latest deliveries."""
    return await _page(request, reader, organisation, Form(words_of(request, reader)), done=done)


@router.post("/admin/{organisation_id}/webhooks")
async def add(request: Request, reader: Writing, organisation: Administered) -> Response:
    """One more website; its secret is in the answer."""
    form = await read_form(request, words_of(request, reader))
    url = form.required_text(
        "url",
        form.words.gettext("Write the address that is to be told, beginning with https://."),
        longest=_LONGEST_ADDRESS,
    )
    if url is None:
        return await _page(request, reader, organisation, form, status=422)
    endpoints = _endpoints(request)
    if any(each.active and each.url == url for each in await _all(request, reader, organisation)):
        form.refuse("url", form.words.gettext("This address is told already."))
        return await _page(request, reader, organisation, form, status=422)
    if not await _is_first(request, reader, form):
        return _again(organisation)
    try:
        made = await endpoints.create(reader.claims, organisation.organisation_id, url=url)
    except InvalidArgument:
        form.refuse(
            "url",
            form.words.gettext(
                "This cannot be used. It must be the https address of a public website, and at most ten can be told at once."
            ),
        )
        return await _page(request, reader, organisation, form, status=422)
    return await _page(
        request, reader, organisation, Form(form.words), secret=made.secret, secret_for=made.url
    )


@router.post("/admin/{organisation_id}/webhooks/{endpoint_id}/secret")
async def rotate(
    request: Request, reader: Writing, organisation: Administered, endpoint_id: UUID
) -> Response:
    """A new secret for a website; the one before it is good for another day."""
    form = await read_form(request, words_of(request, reader))
    endpoint = await _own(request, reader, organisation, endpoint_id)
    if not await _is_first(request, reader, form):
        return _again(organisation)
    secret = await _endpoints(request).rotate_secret(reader.claims, endpoint_id)
    return await _page(
        request, reader, organisation, Form(form.words), secret=secret, secret_for=endpoint.url
    )


@router.post("/admin/{organisation_id}/webhooks/{endpoint_id}/disable")
async def disable(
    request: Request, reader: Writing, organisation: Administered, endpoint_id: UUID
) -> Response:
    """A website is told nothing more."""
    await _own(request, reader, organisation, endpoint_id)
    await _endpoints(request).disable(reader.claims, endpoint_id)
    return see_other(_here(organisation), done="disabled")


@router.post("/admin/{organisation_id}/webhooks/inbound")
async def rotate_inbound(request: Request, reader: Writing, organisation: Administered) -> Response:
    """A new secret with which the organisation's own system signs its certificate updates."""
    form = await read_form(request, words_of(request, reader))
    if not await _is_first(request, reader, form):
        return _again(organisation)
    secret = await _endpoints(request).rotate_inbound_secret(reader.claims, organisation.organisation_id)
    return await _page(request, reader, organisation, Form(form.words), secret=secret)


@router.post("/admin/{organisation_id}/webhooks/inbound/revoke")
async def revoke_inbound(request: Request, reader: Writing, organisation: Administered) -> Response:
    """No more certificate updates from outside."""
    was_open = await _endpoints(request).revoke_inbound_secret(reader.claims, organisation.organisation_id)
    return see_other(_here(organisation), done="closed" if was_open else "was_closed")


async def _page(
    request: Request,
    reader: Reader,
    organisation: Organisation,
    form: Form,
    *,
    status: int = 200,
    done: str | None = None,
    secret: str | None = None,
    secret_for: str | None = None,
) -> Response:
    sessions = request.app.state.services.sessions
    latest = await sessions.call(
        reader.claims,
        "admin_webhook_deliveries",
        {"organisation_id": organisation.organisation_id, "limit": _LATEST},
    )
    endpoints = await _all(request, reader, organisation)
    return page(
        request,
        "admin/webhooks.html",
        reader=reader,
        status=status,
        organisation=organisation,
        form=form,
        endpoints=endpoints,
        addresses={each.endpoint_id: each.url for each in endpoints},
        latest=latest,
        key=str(uuid4()),
        secret=secret,
        secret_for=secret_for,
        done=done,
    )


async def _is_first(request: Request, reader: Reader, form: Form) -> bool:
    """Whether this form is sent for the first time."""
    (row,) = await request.app.state.services.sessions.call(
        reader.claims,
        "claim_key",
        {
            "key": f"form {form.value('key')[:80]}",
            "request": f"POST {request.url.path}",
            "fingerprint": "",
            "lease": _LEASE,
        },
    )
    return bool(row["state"] == "claimed")


def _again(organisation: Organisation) -> Response:
    return see_other(_here(organisation), done="again")


async def _all(request: Request, reader: Reader, organisation: Organisation) -> tuple[Endpoint, ...]:
    return await _endpoints(request).of_organisation(reader.claims, organisation.organisation_id)


async def _own(request: Request, reader: Reader, organisation: Organisation, endpoint_id: UUID) -> Endpoint:
    for each in await _all(request, reader, organisation):
        if each.endpoint_id == endpoint_id:
            return each
    raise NotFound("There is no such webhook in this organisation.")


def _endpoints(request: Request) -> WebhookEndpoints:
    endpoints: WebhookEndpoints = request.app.state.services.webhook_endpoints
    return endpoints


def _here(organisation: Organisation) -> str:
    return f"/admin/{organisation.organisation_id}/webhooks"
