"""The words of the public page in bokmål, nynorsk and English. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PageWords:
    """The page in one language. ``{role}`` is the organisation's own word or ``role``, ``{chapter}`` the chapter's name.

    ``language_names`` are those that the locale data lacks.
    """

    language: str
    role: str
    heading: str
    introduction: str
    nobody: str
    status_label: str
    available: str
    languages_label: str
    contact_label: str
    updated: str
    language_names: Mapping[str, str]


PAGE_WORDS: Final[Mapping[str, PageWords]] = {
    "nb": PageWords(
        language="nb",
        role="likeperson",
        heading="Finn din {role} i {chapter}",
        introduction="Alle på denne siden er tilgjengelige nå.",
        nobody="Ingen er tilgjengelige akkurat nå. Prøv igjen senere.",
        status_label="Status",
        available="Tilgjengelig",
        languages_label="Språk",
        contact_label="Kontakt",
        updated="Listen viser hvem som er tilgjengelige når siden åpnes.",
        language_names={"nsl": "norsk tegnspråk"},
    ),
    "nn": PageWords(
        language="nn",
        role="likeperson",
        heading="Finn din {role} i {chapter}",
        introduction="Alle på denne sida er tilgjengelege no.",
        nobody="Ingen er tilgjengelege akkurat no. Prøv igjen seinare.",
        status_label="Status",
        available="Tilgjengeleg",
        languages_label="Språk",
        contact_label="Kontakt",
        updated="Lista viser kven som er tilgjengelege når sida blir opna.",
        language_names={"nsl": "norsk teiknspråk"},
    ),
    "en": PageWords(
        language="en",
        role="peer mentor",
        heading="Find your {role} in {chapter}",
        introduction="Everybody on this page is available now.",
        nobody="Nobody is available just now. Please try again later.",
        status_label="Status",
        available="Available",
        languages_label="Languages",
        contact_label="Contact",
        updated="The list shows who is available when the page is opened.",
        language_names={"nsl": "Norwegian Sign Language"},
    ),
}
"""By language; every language an organisation can choose is here."""
