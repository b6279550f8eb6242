"""The demo's last act: the same things asked over HTTP, as a website's visitor, an app and a stranger would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID

from rich.console import Console

from peerpause.database.session import Service
from peerpause.demo.narrator import Narrator, require
from peerpause.demo.serving import Api
from peerpause.demo.stage import Stage

_PATIENCE: Final = 20.0


class VisitingAct:
    """A visitor reads a chapter's public page, a coordinator's app a status; a stranger learns nothing."""

    def __init__(self, stage: Stage, api: Api, *, console: Console) -> None:
        self._sessions = stage.services.sessions
        self._api = api
        self._console = console
        self._narrator = Narrator(console)

    async def play(self) -> None:
        """Ask for the page and for the status, as three people. Raises ``StoryFailed`` where an answer is wrong."""
        (cast,) = await self._sessions.call(Service(), "demo_cast")
        self._narrator.scene(9, "The same over HTTP:")
        page = f"{self._api.address}/public/chapters/{cast['chapter_id']}/mentors.html"
        code, body = await self._get(page)
        require(code == 200 and cast["mentor_name"] in body, "the public page lists the mentor")
        self._console.print(f"  200  a visitor reads the chapter's public page   {page}", soft_wrap=True)

        status = f"{self._api.address}/v1/mentors/{cast['mentor_id']}/status"
        code, body = await self._get(status, cast["coordinator_id"])
        require(
            code == 200 and json.loads(body)["status"] == "active", "the coordinator's app reads the status"
        )
        self._console.print(f"  200  {cast['coordinator_name']}'s app reads the status")
        code, body = await self._get(status, cast["stranger_id"])
        require(code == 404, "a stranger learns nothing")
        self._console.print(
            f"  404  {cast['stranger_name']}, of another chapter: {json.loads(body)['detail']}"
        )
        code, _ = await self._get(status)
        require(code == 401, "nobody gets in without a token")
        self._console.print("  401  nobody gets in without a token")
        code, body = await self._get(f"{self._api.address}/demo")
        require(
            code == 200 and escape(cast["mentor_name"]) in body and "<h1" in body,
            "the web page opens and offers who to be",
        )
        self._console.print(f"  200  the web pages are open   {self._api.address}/demo", soft_wrap=True)

    async def invitation(self) -> str:
        """What to open and how to sign in, for whoever watches."""
        (cast,) = await self._sessions.call(Service(), "demo_cast")
        return _INVITATION.format(
            address=self._api.address, token=self._api.token(cast["coordinator_id"]), **_ids(cast)
        )

    async def _get(self, address: str, user_id: UUID | None = None) -> tuple[int, str]:
        headers = {} if user_id is None else {"Authorization": f"Bearer {self._api.token(user_id)}"}
        return await asyncio.to_thread(_fetch, Request(address, headers=headers))  # noqa: S310  our own address


def _fetch(request: Request) -> tuple[int, str]:
    try:
        with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310  our own address  # nosec B310
            return answer.status, answer.read().decode()
    except HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def _ids(cast: Mapping[str, Any]) -> dict[str, Any]:
    return {name: cast[name] for name in ("chapter_id", "mentor_id", "mentor_first_name", "coordinator_name")}


_INVITATION: Final = """
Open
  {address}/demo   the web pages: choose who you want to be, and see the pushes arrive beside it
  {address}/public/chapters/{chapter_id}/mentors.html   a chapter's public page
  {address}/docs   the API, described

Or sign in to the API as {coordinator_name}: this token is theirs for a day. Pause {mentor_first_name} with it and watch the pushes here:

  TOKEN={token}
  curl -s -X POST {address}/v1/mentors/{mentor_id}/pause \\
    -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{"reason": "travel"}}'
"""
