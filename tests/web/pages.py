"""A person with a browser, as far as HTTP goes: signed in by a cookie, reading pages and sending their forms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import html5lib
import httpx

from peerpause.database.session import Sessions
from peerpause.web.cookies import SESSION
from peerpause.web.sessions import WebSessions
from tests.api.serving import Api, serving
from tests.cast import Person
from tests.servers import Database

HTML = "{http://www.w3.org/1999/xhtml}"
"""What the names of elements begin with."""


@dataclass(slots=True)
class Page:
    """An answer, with the forms and words on it."""

    answer: httpx.Response
    _tree: Any = field(default=None, repr=False)

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def tree(self) -> Any:
        if self._tree is None:
            self._tree = html5lib.parse(self.answer.text)
        return self._tree

    @property
    def text(self) -> str:
        """The words on the page, without what is around them."""
        return " ".join("".join(self.tree.find(f".//{HTML}main").itertext()).split())

    @property
    def heading(self) -> str:
        return "".join(self.tree.find(f".//{HTML}h1").itertext()).strip()

    @property
    def title(self) -> str:
        return "".join(self.tree.find(f".//{HTML}title").itertext()).strip()

    def elements(self, name: str) -> list[Any]:
        return list(self.tree.iter(f"{HTML}{name}"))

    def links(self) -> list[str]:
        return [link.get("href", "") for link in self.tree.iter(f"{HTML}a")]

    def form(self, action: str | None = None) -> dict[str, Any]:
        """What the main form (or the one that leads to ``action``) would send as it stands."""
        main = self.tree.find(f".//{HTML}main")
        forms = [
            each
            for each in main.iter(f"{HTML}form")
            if each.get("method", "get").lower() == "post"
            and (action is None or each.get("action") == action)
        ]
        assert forms, f"no such form on {self.answer.url}"
        return _values(forms[0])


class Browser:
    """One person's."""

    def __init__(self, client: httpx.AsyncClient, csrf: str) -> None:
        self.client = client
        self.csrf = csrf

    async def open(self, path: str, **query: Any) -> Page:
        """Follow a link, and what it redirects to."""
        return Page(
            await self.client.get(
                path, params=query or None, headers={"Accept": "text/html"}, follow_redirects=True
            )
        )

    async def send(self, path: str, *, follow: bool = True, **fields: Any) -> Page:
        """Send a form of ours, and follow where it leads."""
        data = {"csrf": self.csrf, **fields}
        return Page(
            await self.client.post(path, data=data, headers={"Accept": "text/html"}, follow_redirects=follow)
        )


@dataclass(frozen=True, slots=True)
class Pages:
    """The app, and people who look at it."""

    api: Api
    database: Database

    async def as_(self, person: Person, *, language: str = "en") -> Browser:
        """A browser in which this person is signed in."""
        url = self.database.server.url(self.database.name, user="authenticator")
        async with Sessions(url=url, size=1) as sessions:
            cookie, session = await WebSessions(sessions=sessions).begin(person.user_id, None)
        client = self.api.with_headers()
        client.cookies.set(SESSION, cookie)
        client.cookies.set("language", language)
        return Browser(client, session.csrf)

    def as_visitor(self, **headers: str) -> httpx.AsyncClient:
        """A browser in which nobody is."""
        return self.api.with_headers(**headers)


@asynccontextmanager
async def opened_pages(database: Database, **changed: Any) -> AsyncIterator[Pages]:
    """The app on a database."""
    async with serving(database, **changed) as api:
        yield Pages(api, database)


def _values(form: Any) -> dict[str, str]:
    values: dict[str, str] = {}
    for element in form.iter():
        name = element.get("name")
        if not name or element.get("disabled") is not None:
            continue
        match element.tag.removeprefix(HTML):
            case "input" if element.get("type") in ("radio", "checkbox"):
                if element.get("checked") is not None:
                    values[name] = element.get("value", "on")
            case "input":
                values[name] = element.get("value", "")
            case "textarea":
                values[name] = "".join(element.itertext())
            case "select":
                options = list(element.iter(f"{HTML}option"))
                chosen = [option for option in options if option.get("selected") is not None] or options[:1]
                values[name] = chosen[0].get("value", "") if chosen else ""
            case _:
                pass
    return values
