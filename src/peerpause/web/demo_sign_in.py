"""Signing in without a provider, for the demo alone: by choosing a person. Nothing but the demo's own code can switch it on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.errors import PermissionDenied
from peerpause.web.asking import MaybeSignedIn, local_path, require_our_page
from peerpause.web.forms import read_form
from peerpause.web.pages import words_of
from peerpause.web.refusals import PageRoute
from peerpause.web.sign_in import begin_session

CHOOSE: Final = "/demo/choose"
"""Where the demo's front page sends whom one has chosen."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody made up, whom a visitor of the demo may be; ``part`` is a word for what they are, by which the page chooses what to say of them."""

    user_id: UUID
    name: str
    part: str


People = Callable[[], Awaitable[Sequence[DemoPerson]]]


def demo_sign_in_routes(people: People) -> APIRouter:
    """Where the choice is sent. ``people`` gives those who may be chosen, and nobody else can be.

    This lets anybody in as anybody of those: only for a database of made-up people.
    """
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.post(CHOOSE)
    async def chosen(request: Request, before: MaybeSignedIn) -> Response:
        require_our_page(request)
        form = await read_form(request, words_of(request))
        offered = {each.user_id for each in await people()}
        wanted = [each for each in form.ids("person") if each in offered]
        if len(wanted) != 1:
            raise PermissionDenied("This person is not one of the demo's.", hint="Choose one on the page.")
        return await begin_session(request, wanted[0], None, before, local_path(form.value("next")))

    return router
