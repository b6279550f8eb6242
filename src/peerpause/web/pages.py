"""Pages as answers: a template, the reader's language, and headers that let a browser do only what the page needs.

Templates are English with every sentence in `_("…")`; `words` puts it into the reader's language. Whatever a person wrote is
shown as text. No page has a script or a style of its own, so the policy allows none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from peerpause.notifications.texts import reason_labels
from peerpause.web.languages import LANGUAGES, Words, chosen_language, words
from peerpause.web.reader import Organisation, Reader
from peerpause.web.static import static_url
from peerpause.web.times import Times

LANGUAGE_COOKIE: Final = "language"

_ROLE_WORDS: Final = {
    "nb": ("likeperson", "likepersoner"),
    "nn": ("likeperson", "likepersonar"),
    "en": ("peer mentor", "peer mentors"),
}


def page(
    request: Request,
    template: str,
    *,
    reader: Reader | None = None,
    status: int = 200,
    form_targets: Iterable[str] = (),
    **content: Any,
) -> HTMLResponse:
    """Answer with a page from a template.

    ``form_targets`` are origins besides ours to which the page's forms may lead, such as a sign-in provider's. The template
    finds ``reader`` (None for a visitor), ``words``, ``times``, ``static_url``, ``role`` and ``roles``, and what ``content`` adds.
    """
    if reader is None:
        reader = getattr(request.state, "reader", None)
    language = language_of(request, reader)
    environment = _environment(language)
    body = environment.get_template(template).render(
        request_path=request.url.path,
        request_query=request.url.query,
        reader=reader,
        language=language,
        languages=LANGUAGES,
        words=words(language),
        times=Times(language),
        is_demo=getattr(request.app.state, "is_demo", False),
        role=role_word(_only_organisation(reader), language),
        roles=role_word_plural(_only_organisation(reader), language),
        **content,
    )
    return HTMLResponse(body, status_code=status, headers=_headers(language, form_targets))


def see_other(path: str, **query: object) -> RedirectResponse:
    """Send the browser on after a form: a reload of what it then shows repeats nothing."""
    given = {name: value for name, value in query.items() if value is not None}
    return RedirectResponse(f"{path}?{urlencode(given)}" if given else path, status_code=303)


def language_of(request: Request, reader: Reader | None) -> str:
    """The language a page is shown in."""
    only = _only_organisation(reader)
    return chosen_language(
        saved=None if reader is None else reader.language,
        cookie=request.cookies.get(LANGUAGE_COOKIE),
        accepted=request.headers.get("accept-language"),
        usual=None if only is None else only.language,
    )


def words_of(request: Request, reader: Reader | None = None) -> Words:
    """The messages in the page's language, for sentences that Python makes."""
    return words(language_of(request, reader or getattr(request.state, "reader", None)))


def role_word(organisation: Organisation | None, language: str) -> str:
    """What a peer mentor of this organisation is called; the language's usual word where it has none of its own."""
    own = None if organisation is None else organisation.role_word
    return own or _ROLE_WORDS[language][0]


def role_word_plural(organisation: Organisation | None, language: str) -> str:
    """What several of them are called."""
    if organisation is None or organisation.role_word is None:
        return _ROLE_WORDS[language][1]
    return organisation.role_word_plural or organisation.role_word


async def reasons_in(request: Request, reader: Reader, organisation_id: UUID) -> Mapping[str, str]:
    """The label of every reason code in the reader's language: the organisation's own words before ours."""
    language = language_of(request, reader)
    sessions = request.app.state.services.sessions
    rows = await sessions.call(
        reader.claims, "read_reason_labels", {"organisation_id": organisation_id, "language": language}
    )
    return {**reason_labels(language), **{row["reason"]: row["label"] for row in rows}}


def _only_organisation(reader: Reader | None) -> Organisation | None:
    # With parts in several organisations the usual word is right in the frame; inside, pages use each one's own.
    found = () if reader is None else reader.organisations
    return found[0] if len(found) == 1 else None


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("peerpause.web"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    spoken = words(language)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the i18n extension adds it
        spoken.gettext, spoken.ngettext, newstyle=True
    )
    environment.filters["capitalize_first"] = _capitalize_first
    environment.globals.update(static_url=static_url, role_word=role_word, role_word_plural=role_word_plural)
    return environment


def _headers(language: str, form_targets: Iterable[str]) -> dict[str, str]:
    targets = " ".join(["'self'", *form_targets])
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
        ),
        "Content-Language": language,
        "Vary": "Cookie, Accept-Language",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        # Origin and Sec-Fetch-Site tell our own forms from others'; a whole address goes to nobody else.
        "Referrer-Policy": "same-origin",
    }


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]
