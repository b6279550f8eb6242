"""The exact words of every message, in each language and person, and what must never be among them."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from peerpause.notifications.payload import (
    MAX_DEEP_LINK_BYTES,
    NotificationEvent,
    NotificationPayload,
    deep_link,
    push_data,
)
from peerpause.notifications.texts import (
    PushText,
    inbox_text,
    push_text,
    reason_labels,
    summary_inbox_text,
    summary_push_text,
)
from peerpause.status.rules import ReasonCode

ADA = UUID("a0000000-0000-4000-8000-000000000001")
NORTH = UUID("c0000000-0000-4000-8000-000000000003")
ROW = UUID("d0000000-0000-4000-8000-000000000004")

# What is told: the event, and the statuses before and after.
SITUATIONS: Final = {
    "mentor_paused": (NotificationEvent.MENTOR_PAUSED, "active", "paused"),
    "mentor_paused_certification": (NotificationEvent.MENTOR_PAUSED_CERTIFICATION, "active", "paused"),
    "mentor_reactivated": (NotificationEvent.MENTOR_REACTIVATED, "paused", "active"),
    "mentor_deactivated": (NotificationEvent.MENTOR_DEACTIVATED, "active", "inactive"),
    "pause_about_to_start": (NotificationEvent.PAUSE_ABOUT_TO_START, "active", "active"),
    "planned_pause_skipped": (NotificationEvent.PLANNED_PAUSE_SKIPPED, "inactive", "inactive"),
    "certification_expiring": (NotificationEvent.CERTIFICATION_EXPIRING, "active", "active"),
    "certification_renewed": (NotificationEvent.CERTIFICATION_RENEWED, "active", "active"),
    "certification_renewed, back from the pause": (
        NotificationEvent.CERTIFICATION_RENEWED,
        "paused",
        "active",
    ),
    "return_near": (NotificationEvent.RETURN_NEAR, "paused", "paused"),
    "return_passed": (NotificationEvent.RETURN_PASSED, "paused", "paused"),
}
LANGUAGES: Final = ("nb", "nn", "en")
PERSONS: Final = ("coordinator", "mentor")


def payload(situation: str = "mentor_paused", **changed: Any) -> NotificationPayload:
    """A notice about Ada Berg, who is ill, with every date set, except for what the test says."""
    event, previous_status, new_status = SITUATIONS[situation]
    notice = NotificationPayload(
        event=event,
        mentor_id=ADA,
        organisation_id=NORTH,
        display_name="Ada Berg",
        first_name="Ada",
        previous_status=previous_status,
        new_status=new_status,
        reason_code="illness",
        actor_id=None,
        timestamp=datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
        deep_link=deep_link(None, ADA),
        history_id=ROW,
        expected_return_on=date(2026, 12, 24),
        certification_expires_on=date(2026, 11, 19),
        pause_starts_on=date(2026, 12, 1),
    )
    return replace(notice, **changed)


# Every push, word for word

PUSHES: Final = {
    ("mentor_paused", "nb", "coordinator"): PushText(
        "Ada er på pause",
        "Ada har pause som likeperson. Vent med nye oppdrag til pausen er over.",
    ),
    ("mentor_paused", "nb", "mentor"): PushText(
        "Du er satt på pause",
        "Du har pause som likeperson og får ikke nye oppdrag før pausen er over.",
    ),
    ("mentor_paused", "nn", "coordinator"): PushText(
        "Ada er på pause",
        "Ada har pause som likeperson. Vent med nye oppdrag til pausen er over.",
    ),
    ("mentor_paused", "nn", "mentor"): PushText(
        "Du er sett på pause",
        "Du har pause som likeperson og får ikkje nye oppdrag før pausen er over.",
    ),
    ("mentor_paused", "en", "coordinator"): PushText(
        "Ada is on pause",
        "Ada is on pause as peer mentor. Please hold new assignments until the pause is over.",
    ),
    ("mentor_paused", "en", "mentor"): PushText(
        "You are on pause",
        "You are on pause as peer mentor and get no new assignments until the pause is over.",
    ),
    ("mentor_paused_certification", "nb", "coordinator"): PushText(
        "Sertifiseringen til Ada har gått ut",
        "Ada er automatisk satt på pause og vises ikke på nettsiden. Pausen varer til sertifiseringen er fornyet.",
    ),
    ("mentor_paused_certification", "nb", "mentor"): PushText(
        "Sertifiseringen din har gått ut",
        "Du er derfor automatisk satt på pause som likeperson. Ta kontakt med koordinatoren din for å fornye sertifiseringen.",
    ),
    ("mentor_paused_certification", "nn", "coordinator"): PushText(
        "Sertifiseringa til Ada har gått ut",
        "Ada er automatisk sett på pause og blir ikkje vist på nettsida. Pausen varer til sertifiseringa er fornya.",
    ),
    ("mentor_paused_certification", "nn", "mentor"): PushText(
        "Sertifiseringa di har gått ut",
        "Du er difor automatisk sett på pause som likeperson. Ta kontakt med koordinatoren din for å fornye sertifiseringa.",
    ),
    ("mentor_paused_certification", "en", "coordinator"): PushText(
        "Ada’s certificate has expired",
        "Ada has been paused automatically and is not shown on the web page. The pause lasts until the certificate is renewed.",
    ),
    ("mentor_paused_certification", "en", "mentor"): PushText(
        "Your certificate has expired",
        "You have therefore been paused automatically as peer mentor. Please contact your coordinator to renew the certificate.",
    ),
    ("mentor_reactivated", "nb", "coordinator"): PushText(
        "Ada er aktiv igjen",
        "Ada er tilbake fra pausen og kan få nye oppdrag som likeperson.",
    ),
    ("mentor_reactivated", "nb", "mentor"): PushText(
        "Du er aktiv igjen",
        "Pausen din er over, og du kan få nye oppdrag som likeperson.",
    ),
    ("mentor_reactivated", "nn", "coordinator"): PushText(
        "Ada er aktiv igjen",
        "Ada er tilbake frå pausen og kan få nye oppdrag som likeperson.",
    ),
    ("mentor_reactivated", "nn", "mentor"): PushText(
        "Du er aktiv igjen",
        "Pausen din er over, og du kan få nye oppdrag som likeperson.",
    ),
    ("mentor_reactivated", "en", "coordinator"): PushText(
        "Ada is active again",
        "Ada is back from the pause and can take new assignments as peer mentor.",
    ),
    ("mentor_reactivated", "en", "mentor"): PushText(
        "You are active again",
        "Your pause is over and you can get new assignments as peer mentor.",
    ),
    ("mentor_deactivated", "nb", "coordinator"): PushText(
        "Ada er ikke lenger likeperson",
        "Ikke gi nye oppdrag til Ada. Historikken er tatt vare på.",
    ),
    ("mentor_deactivated", "nb", "mentor"): PushText(
        "Du er ikke lenger likeperson",
        "Du får ikke nye oppdrag. Ta kontakt med koordinatoren din hvis dette ikke stemmer.",
    ),
    ("mentor_deactivated", "nn", "coordinator"): PushText(
        "Ada er ikkje lenger likeperson",
        "Ikkje gi nye oppdrag til Ada. Historikken er teken vare på.",
    ),
    ("mentor_deactivated", "nn", "mentor"): PushText(
        "Du er ikkje lenger likeperson",
        "Du får ikkje nye oppdrag. Ta kontakt med koordinatoren din dersom dette ikkje stemmer.",
    ),
    ("mentor_deactivated", "en", "coordinator"): PushText(
        "Ada no longer serves as peer mentor",
        "Please give no new assignments to Ada. The history is kept.",
    ),
    ("mentor_deactivated", "en", "mentor"): PushText(
        "You no longer serve as peer mentor",
        "You get no new assignments. Please contact your coordinator if this is not right.",
    ),
    ("pause_about_to_start", "nb", "coordinator"): PushText(
        "Ada tar snart pause",
        "En planlagt pause for Ada starter snart. Vent med nye oppdrag.",
    ),
    ("pause_about_to_start", "nb", "mentor"): PushText(
        "Pausen din starter snart",
        "Den planlagte pausen din som likeperson starter snart. Du kan avlyse den hvis noe har endret seg.",
    ),
    ("pause_about_to_start", "nn", "coordinator"): PushText(
        "Ada tek snart pause",
        "Ein planlagd pause for Ada startar snart. Vent med nye oppdrag.",
    ),
    ("pause_about_to_start", "nn", "mentor"): PushText(
        "Pausen din startar snart",
        "Den planlagde pausen din som likeperson startar snart. Du kan avlyse han dersom noko har endra seg.",
    ),
    ("pause_about_to_start", "en", "coordinator"): PushText(
        "Ada will soon be on pause",
        "A planned pause for Ada starts soon. Please hold new assignments.",
    ),
    ("pause_about_to_start", "en", "mentor"): PushText(
        "Your pause starts soon",
        "Your planned pause as peer mentor starts soon. You can cancel it if something has changed.",
    ),
    ("planned_pause_skipped", "nb", "coordinator"): PushText(
        "Pausen til Ada startet ikke",
        "Den planlagte pausen til Ada er falt bort, fordi Ada ikke var aktiv da den skulle starte.",
    ),
    ("planned_pause_skipped", "nb", "mentor"): PushText(
        "Pausen din startet ikke",
        "Den planlagte pausen din er falt bort, fordi du ikke var aktiv da den skulle starte.",
    ),
    ("planned_pause_skipped", "nn", "coordinator"): PushText(
        "Pausen til Ada starta ikkje",
        "Den planlagde pausen til Ada er fallen bort, fordi Ada ikkje var aktiv då han skulle starte.",
    ),
    ("planned_pause_skipped", "nn", "mentor"): PushText(
        "Pausen din starta ikkje",
        "Den planlagde pausen din er fallen bort, fordi du ikkje var aktiv då han skulle starte.",
    ),
    ("planned_pause_skipped", "en", "coordinator"): PushText(
        "Ada’s pause did not start",
        "The planned pause of Ada has been dropped, because Ada was not active when it was due to start.",
    ),
    ("planned_pause_skipped", "en", "mentor"): PushText(
        "Your pause did not start",
        "Your planned pause has been dropped, because you were not active when it was due to start.",
    ),
    ("certification_expiring", "nb", "coordinator"): PushText(
        "Sertifiseringen til Ada går snart ut",
        "Hvis sertifiseringen ikke blir fornyet i tide, blir Ada satt på pause.",
    ),
    ("certification_expiring", "nb", "mentor"): PushText(
        "Sertifiseringen din går snart ut",
        "Forny sertifiseringen i tide, så slipper du pause. Koordinatoren din kan hjelpe deg.",
    ),
    ("certification_expiring", "nn", "coordinator"): PushText(
        "Sertifiseringa til Ada går snart ut",
        "Dersom sertifiseringa ikkje blir fornya i tide, blir Ada sett på pause.",
    ),
    ("certification_expiring", "nn", "mentor"): PushText(
        "Sertifiseringa di går snart ut",
        "Forny sertifiseringa i tide, så slepp du pause. Koordinatoren din kan hjelpe deg.",
    ),
    ("certification_expiring", "en", "coordinator"): PushText(
        "Ada’s certificate expires soon",
        "If the certificate is not renewed in time, Ada will be paused.",
    ),
    ("certification_expiring", "en", "mentor"): PushText(
        "Your certificate expires soon",
        "Renew the certificate in time to avoid a pause. Your coordinator can help you.",
    ),
    ("certification_renewed", "nb", "coordinator"): PushText(
        "Sertifiseringen til Ada er fornyet",
        "Ada har gyldig sertifisering.",
    ),
    ("certification_renewed", "nb", "mentor"): PushText(
        "Sertifiseringen din er fornyet",
        "Du har gyldig sertifisering som likeperson.",
    ),
    ("certification_renewed", "nn", "coordinator"): PushText(
        "Sertifiseringa til Ada er fornya",
        "Ada har gyldig sertifisering.",
    ),
    ("certification_renewed", "nn", "mentor"): PushText(
        "Sertifiseringa di er fornya",
        "Du har gyldig sertifisering som likeperson.",
    ),
    ("certification_renewed", "en", "coordinator"): PushText(
        "Ada’s certificate has been renewed",
        "Ada holds a valid certificate.",
    ),
    ("certification_renewed", "en", "mentor"): PushText(
        "Your certificate has been renewed",
        "You hold a valid certificate as peer mentor.",
    ),
    ("certification_renewed, back from the pause", "nb", "coordinator"): PushText(
        "Sertifiseringen til Ada er fornyet",
        "Pausen er over. Ada er aktiv igjen og kan få nye oppdrag som likeperson.",
    ),
    ("certification_renewed, back from the pause", "nb", "mentor"): PushText(
        "Sertifiseringen din er fornyet",
        "Pausen er over. Du er aktiv igjen og kan få nye oppdrag som likeperson.",
    ),
    ("certification_renewed, back from the pause", "nn", "coordinator"): PushText(
        "Sertifiseringa til Ada er fornya",
        "Pausen er over. Ada er aktiv igjen og kan få nye oppdrag som likeperson.",
    ),
    ("certification_renewed, back from the pause", "nn", "mentor"): PushText(
        "Sertifiseringa di er fornya",
        "Pausen er over. Du er aktiv igjen og kan få nye oppdrag som likeperson.",
    ),
    ("certification_renewed, back from the pause", "en", "coordinator"): PushText(
        "Ada’s certificate has been renewed",
        "The pause is over. Ada is active again and can take new assignments as peer mentor.",
    ),
    ("certification_renewed, back from the pause", "en", "mentor"): PushText(
        "Your certificate has been renewed",
        "The pause is over. You are active again and can get new assignments as peer mentor.",
    ),
    ("return_near", "nb", "coordinator"): PushText(
        "Ada er snart tilbake",
        "Etter planen er pausen til Ada snart over.",
    ),
    ("return_near", "nb", "mentor"): PushText(
        "Pausen din er snart over",
        "Vil du være aktiv igjen, eller trenger du lengre pause? Logg inn og gi beskjed.",
    ),
    ("return_near", "nn", "coordinator"): PushText(
        "Ada er snart tilbake",
        "Etter planen er pausen til Ada snart over.",
    ),
    ("return_near", "nn", "mentor"): PushText(
        "Pausen din er snart over",
        "Vil du vere aktiv igjen, eller treng du lengre pause? Logg inn og gi beskjed.",
    ),
    ("return_near", "en", "coordinator"): PushText(
        "Ada will be back soon",
        "If all goes to plan, Ada’s pause is nearly over.",
    ),
    ("return_near", "en", "mentor"): PushText(
        "Your pause is nearly over",
        "Do you want to be active again, or do you need a longer pause? Sign in and let us know.",
    ),
    ("return_passed", "nb", "coordinator"): PushText(
        "Ada er fortsatt på pause",
        "Datoen da Ada skulle være tilbake, er passert. Ta gjerne kontakt.",
    ),
    ("return_passed", "nb", "mentor"): PushText(
        "Du er fortsatt på pause",
        "Datoen da du skulle være tilbake, er passert. Vil du være aktiv igjen, eller trenger du lengre pause? Logg inn og gi beskjed.",
    ),
    ("return_passed", "nn", "coordinator"): PushText(
        "Ada er framleis på pause",
        "Datoen då Ada skulle vere tilbake, er passert. Ta gjerne kontakt.",
    ),
    ("return_passed", "nn", "mentor"): PushText(
        "Du er framleis på pause",
        "Datoen då du skulle vere tilbake, er passert. Vil du vere aktiv igjen, eller treng du lengre pause? Logg inn og gi beskjed.",
    ),
    ("return_passed", "en", "coordinator"): PushText(
        "Ada is still on pause",
        "The date when Ada was expected back has passed. Please get in touch.",
    ),
    ("return_passed", "en", "mentor"): PushText(
        "You are still on pause",
        "The date when you were expected back has passed. Do you want to be active again, or do you need a longer pause? Sign in and let us know.",
    ),
}


def test_the_table_of_pushes_is_complete() -> None:
    assert set(PUSHES) == {
        (situation, language, person)
        for situation in SITUATIONS
        for language in LANGUAGES
        for person in PERSONS
    }
    told = {event for event, _, _ in SITUATIONS.values()}
    assert told == {event for event in NotificationEvent if not event.is_summary}


@pytest.mark.parametrize(("situation", "language", "person"), list(PUSHES))
def test_each_push_reads_exactly_so(situation: str, language: str, person: str) -> None:
    text = push_text(payload(situation), language, about_self=person == "mentor")
    assert text == PUSHES[situation, language, person]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("person", PERSONS)
def test_a_lapsed_certificate_never_reads_like_a_voluntary_pause(language: str, person: str) -> None:
    lapsed = PUSHES["mentor_paused_certification", language, person]
    chosen = PUSHES["mentor_paused", language, person]
    assert lapsed.title != chosen.title
    assert lapsed.body != chosen.body


# Less, where the organisation wants less

MINIMAL: Final = {
    ("mentor_paused", "nb", "coordinator"): PushText(
        "Endret status", "Noen i lokallaget ditt har endret status. Logg inn for å se hvem."
    ),
    ("mentor_paused", "nn", "coordinator"): PushText(
        "Endra status", "Nokon i lokallaget ditt har endra status. Logg inn for å sjå kven."
    ),
    ("mentor_paused", "en", "coordinator"): PushText(
        "Status changed", "Someone in your chapter changed status. Sign in to see who."
    ),
    ("mentor_paused", "nb", "mentor"): PushText(
        "Statusen din er endret", "Logg inn for å se hva som er endret."
    ),
    ("mentor_paused", "nn", "mentor"): PushText(
        "Statusen din er endra", "Logg inn for å sjå kva som er endra."
    ),
    ("mentor_paused", "en", "mentor"): PushText(
        "Your status has changed", "Sign in to see what has changed."
    ),
    ("return_near", "nb", "coordinator"): PushText(
        "Ny melding", "Du har en ny melding om noen i lokallaget ditt. Logg inn for å lese den."
    ),
    ("return_near", "nn", "coordinator"): PushText(
        "Ny melding", "Du har ei ny melding om nokon i lokallaget ditt. Logg inn for å lese meldinga."
    ),
    ("return_near", "en", "coordinator"): PushText(
        "New message", "You have a new message about someone in your chapter. Sign in to read it."
    ),
    ("return_near", "nb", "mentor"): PushText("Ny melding", "Du har en ny melding. Logg inn for å lese den."),
    ("return_near", "nn", "mentor"): PushText(
        "Ny melding", "Du har ei ny melding. Logg inn for å lese meldinga."
    ),
    ("return_near", "en", "mentor"): PushText("New message", "You have a new message. Sign in to read it."),
}


@pytest.mark.parametrize(("situation", "language", "person"), list(MINIMAL))
def test_each_minimal_push_reads_exactly_so(situation: str, language: str, person: str) -> None:
    text = push_text(payload(situation), language, about_self=person == "mentor", minimal=True)
    assert text == MINIMAL[situation, language, person]


@pytest.mark.parametrize("situation", list(SITUATIONS))
@pytest.mark.parametrize("person", PERSONS)
def test_a_minimal_push_tells_a_change_from_other_news_and_no_more(situation: str, person: str) -> None:
    _, before, after = SITUATIONS[situation]
    like = "mentor_paused" if before != after else "return_near"
    text = push_text(payload(situation), "nb", about_self=person == "mentor", minimal=True)
    assert text == MINIMAL[like, "nb", person]


def test_a_push_about_somebody_without_a_first_name_names_nobody() -> None:
    text = push_text(payload(first_name=" "), "nb", about_self=False)
    assert text == MINIMAL["mentor_paused", "nb", "coordinator"]


def test_a_push_to_a_mentor_without_a_first_name_loses_nothing() -> None:
    text = push_text(payload(first_name=""), "nb", about_self=True)
    assert text == PUSHES["mentor_paused", "nb", "mentor"]


# The organisation's own word, and the reader's language


def test_an_organisation_has_its_own_word_for_the_role() -> None:
    text = push_text(payload("mentor_deactivated"), "nb", about_self=False, role_word=" besøksvenn ")
    assert text.title == "Ada er ikke lenger besøksvenn"


@pytest.mark.parametrize("role_word", [None, "", "  "])
def test_without_a_word_of_its_own_the_languages_word_is_used(role_word: str | None) -> None:
    text = push_text(payload("mentor_deactivated"), "en", about_self=True, role_word=role_word)
    assert text.title == "You no longer serve as peer mentor"


def test_braces_in_a_name_or_role_are_just_braces() -> None:
    text = push_text(payload(first_name="{role}"), "nb", about_self=False, role_word="{name.__class__}")
    assert text.title == "{role} er på pause"
    assert "som {name.__class__}." in text.body


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("nb", "nb"),
        ("nb-NO", "nb"),
        ("no", "nb"),
        ("nn", "nn"),
        ("nn_NO", "nn"),
        ("NN", "nn"),
        ("en-GB", "en"),
        ("EN_us", "en"),
        ("sv", "nb"),
        ("english", "nb"),
        ("", "nb"),
        (None, "nb"),
    ],
)
def test_a_language_we_do_not_speak_becomes_bokmaal(tag: str | None, language: str) -> None:
    text = push_text(payload("mentor_deactivated"), tag, about_self=False)
    assert text == PUSHES["mentor_deactivated", language, "coordinator"]


# The inbox

# The sentences that the inbox adds to the push, in the order in which they stand.
DETAILS: Final = {
    ("planned_pause_skipped", "nb"): "",
    ("planned_pause_skipped", "nn"): "",
    ("planned_pause_skipped", "en"): "",
    ("mentor_paused", "nb"): "Grunn: Sykdom. Forventet tilbake 24. desember 2026.",
    ("mentor_paused", "nn"): "Grunn: Sjukdom. Venta tilbake 24. desember 2026.",
    ("mentor_paused", "en"): "Reason: Illness. Expected back on 24 December 2026.",
    ("mentor_paused_certification", "nb"): "Siste gyldige dag: 19. november 2026.",
    ("mentor_paused_certification", "nn"): "Siste gyldige dag: 19. november 2026.",
    ("mentor_paused_certification", "en"): "Last valid day: 19 November 2026.",
    ("mentor_reactivated", "nb"): "",
    ("mentor_reactivated", "nn"): "",
    ("mentor_reactivated", "en"): "",
    ("mentor_deactivated", "nb"): "Grunn: Sykdom.",
    ("mentor_deactivated", "nn"): "Grunn: Sjukdom.",
    ("mentor_deactivated", "en"): "Reason: Illness.",
    (
        "pause_about_to_start",
        "nb",
    ): "Grunn: Sykdom. Pausen starter 1. desember 2026. Forventet tilbake 24. desember 2026.",
    (
        "pause_about_to_start",
        "nn",
    ): "Grunn: Sjukdom. Pausen startar 1. desember 2026. Venta tilbake 24. desember 2026.",
    (
        "pause_about_to_start",
        "en",
    ): "Reason: Illness. The pause starts on 1 December 2026. Expected back on 24 December 2026.",
    ("certification_expiring", "nb"): "Siste gyldige dag: 19. november 2026.",
    ("certification_expiring", "nn"): "Siste gyldige dag: 19. november 2026.",
    ("certification_expiring", "en"): "Last valid day: 19 November 2026.",
    ("certification_renewed", "nb"): "Siste gyldige dag: 19. november 2026.",
    ("certification_renewed", "nn"): "Siste gyldige dag: 19. november 2026.",
    ("certification_renewed", "en"): "Last valid day: 19 November 2026.",
    ("certification_renewed, back from the pause", "nb"): "Siste gyldige dag: 19. november 2026.",
    ("certification_renewed, back from the pause", "nn"): "Siste gyldige dag: 19. november 2026.",
    ("certification_renewed, back from the pause", "en"): "Last valid day: 19 November 2026.",
    ("return_near", "nb"): "Forventet tilbake 24. desember 2026.",
    ("return_near", "nn"): "Venta tilbake 24. desember 2026.",
    ("return_near", "en"): "Expected back on 24 December 2026.",
    ("return_passed", "nb"): "Forventet tilbake 24. desember 2026.",
    ("return_passed", "nn"): "Venta tilbake 24. desember 2026.",
    ("return_passed", "en"): "Expected back on 24 December 2026.",
}


@pytest.mark.parametrize(("situation", "language", "person"), list(PUSHES))
def test_the_inbox_adds_the_full_name_the_reason_and_the_dates(
    situation: str, language: str, person: str
) -> None:
    push = PUSHES[situation, language, person]
    text = inbox_text(payload(situation), language, about_self=person == "mentor")
    assert text.title == push.title.replace("Ada", "Ada Berg")
    assert text.body == f"{push.body.replace('Ada', 'Ada Berg')} {DETAILS[situation, language]}".strip()


def test_the_inbox_says_nothing_of_dates_that_are_not_known() -> None:
    bare = payload(
        reason_code=None, expected_return_on=None, certification_expires_on=None, pause_starts_on=None
    )
    text = inbox_text(bare, "nb", about_self=False)
    assert text.body == "Ada Berg har pause som likeperson. Vent med nye oppdrag til pausen er over."


def test_the_inbox_shows_the_organisations_own_label_and_role_word() -> None:
    text = inbox_text(
        payload(expected_return_on=None), "nb", about_self=True, role_word="mentor", reason_label="Helse."
    )
    assert text.body == "Du har pause som mentor og får ikke nye oppdrag før pausen er over. Grunn: Helse."


def test_the_inbox_leaves_out_a_reason_that_has_no_label() -> None:
    text = inbox_text(payload(reason_code="bad knee", expected_return_on=None), "nb", about_self=False)
    assert "knee" not in text.title + text.body
    assert "Grunn" not in text.body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_a_name(language: str, month: int) -> None:
    names = {
        "nb": "januar februar mars april mai juni juli august september oktober november desember",
        "nn": "januar februar mars april mai juni juli august september oktober november desember",
        "en": "January February March April May June July August September October November December",
    }
    notice = payload("return_near", expected_return_on=date(2027, month, 3))
    name = names[language].split()[month - 1]
    assert f" {name} 2027." in inbox_text(notice, language, about_self=False).body


# Reasons


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_label_in_every_language(language: str) -> None:
    labels = reason_labels(language)
    assert list(labels) == [code.value for code in ReasonCode]
    assert len(set(labels.values())) == len(labels)
    assert all(label.strip() for label in labels.values())


def test_the_labels_differ_between_the_languages() -> None:
    assert [reason_labels(language)["illness"] for language in LANGUAGES] == [
        "Sykdom",
        "Sjukdom",
        "Illness",
    ]


# Several changes at once


@pytest.mark.parametrize(
    ("count", "language", "kind", "text"),
    [
        (
            1,
            "nb",
            NotificationEvent.SUMMARY,
            PushText(
                "1 ny statusendring", "Noen i lokallaget ditt har endret status. Logg inn for å se hvem."
            ),
        ),
        (
            7,
            "nb",
            NotificationEvent.SUMMARY,
            PushText(
                "7 nye statusendringer",
                "Det er 7 nye statusendringer der du er koordinator. Logg inn for å se hvem det gjelder.",
            ),
        ),
        (
            1,
            "nn",
            NotificationEvent.SUMMARY,
            PushText(
                "1 ny statusendring", "Nokon i lokallaget ditt har endra status. Logg inn for å sjå kven."
            ),
        ),
        (
            7,
            "nn",
            NotificationEvent.SUMMARY,
            PushText(
                "7 nye statusendringar",
                "Det er 7 nye statusendringar der du er koordinator. Logg inn for å sjå kven det gjeld.",
            ),
        ),
        (
            1,
            "en",
            NotificationEvent.SUMMARY,
            PushText("1 new status change", "Someone in your chapter changed status. Sign in to see who."),
        ),
        (
            7,
            "en",
            NotificationEvent.SUMMARY,
            PushText(
                "7 new status changes",
                "There are 7 new status changes where you are a coordinator. Sign in to see who.",
            ),
        ),
        (
            1,
            "nb",
            NotificationEvent.SUMMARY_CERTIFICATION,
            PushText(
                "1 sertifisering har gått ut",
                "1 person er automatisk satt på pause fordi sertifiseringen har gått ut. Logg inn for å se hvem.",
            ),
        ),
        (
            7,
            "nb",
            NotificationEvent.SUMMARY_CERTIFICATION,
            PushText(
                "7 sertifiseringer har gått ut",
                "7 personer er automatisk satt på pause fordi sertifiseringen har gått ut. Logg inn for å se hvem.",
            ),
        ),
        (
            1,
            "nn",
            NotificationEvent.SUMMARY_CERTIFICATION,
            PushText(
                "1 sertifisering har gått ut",
                "1 person er automatisk sett på pause fordi sertifiseringa har gått ut. Logg inn for å sjå kven.",
            ),
        ),
        (
            7,
            "nn",
            NotificationEvent.SUMMARY_CERTIFICATION,
            PushText(
                "7 sertifiseringar har gått ut",
                "7 personar er automatisk sette på pause fordi sertifiseringa har gått ut. Logg inn for å sjå kven.",
            ),
        ),
        (
            1,
            "en",
            NotificationEvent.SUMMARY_CERTIFICATION,
            PushText(
                "1 certificate has expired",
                "1 person has been paused automatically because the certificate has expired. Sign in to see who.",
            ),
        ),
        (
            7,
            "en",
            NotificationEvent.SUMMARY_CERTIFICATION,
            PushText(
                "7 certificates have expired",
                "7 people have been paused automatically because their certificates have expired. "
                "Sign in to see who.",
            ),
        ),
        (
            1,
            "nb",
            NotificationEvent.SUMMARY_EXPIRING,
            PushText(
                "1 sertifisering går snart ut",
                "1 person i lokallaget ditt har en sertifisering som går ut innen 60 dager. Logg inn for å se hvem.",
            ),
        ),
        (
            7,
            "nb",
            NotificationEvent.SUMMARY_EXPIRING,
            PushText(
                "7 sertifiseringer går snart ut",
                "7 personer der du er koordinator, har en sertifisering som går ut innen 60 dager. Logg inn for å se hvem.",
            ),
        ),
        (
            1,
            "nb",
            NotificationEvent.SUMMARY_NEWS,
            PushText(
                "1 ny melding",
                "Du har 1 ny melding. Logg inn for å lese den.",
            ),
        ),
        (
            7,
            "nb",
            NotificationEvent.SUMMARY_NEWS,
            PushText(
                "7 nye meldinger",
                "Du har 7 nye meldinger. Logg inn for å lese dem.",
            ),
        ),
        (
            1,
            "nn",
            NotificationEvent.SUMMARY_EXPIRING,
            PushText(
                "1 sertifisering går snart ut",
                "1 person i lokallaget ditt har ei sertifisering som går ut innan 60 dagar. Logg inn for å sjå kven.",
            ),
        ),
        (
            7,
            "nn",
            NotificationEvent.SUMMARY_EXPIRING,
            PushText(
                "7 sertifiseringar går snart ut",
                "7 personar der du er koordinator, har ei sertifisering som går ut innan 60 dagar. Logg inn for å sjå kven.",
            ),
        ),
        (
            1,
            "nn",
            NotificationEvent.SUMMARY_NEWS,
            PushText(
                "1 ny melding",
                "Du har 1 ny melding. Logg inn for å lese henne.",
            ),
        ),
        (
            7,
            "nn",
            NotificationEvent.SUMMARY_NEWS,
            PushText(
                "7 nye meldingar",
                "Du har 7 nye meldingar. Logg inn for å lese dei.",
            ),
        ),
        (
            1,
            "en",
            NotificationEvent.SUMMARY_EXPIRING,
            PushText(
                "1 certificate expires soon",
                "1 person in your chapter has a certificate that expires within 60 days. Sign in to see who.",
            ),
        ),
        (
            7,
            "en",
            NotificationEvent.SUMMARY_EXPIRING,
            PushText(
                "7 certificates expire soon",
                "7 people where you are a coordinator have a certificate that expires within 60 days. Sign in to see who.",
            ),
        ),
        (
            1,
            "en",
            NotificationEvent.SUMMARY_NEWS,
            PushText(
                "1 new message",
                "You have 1 new message. Sign in to read it.",
            ),
        ),
        (
            7,
            "en",
            NotificationEvent.SUMMARY_NEWS,
            PushText(
                "7 new messages",
                "You have 7 new messages. Sign in to read them.",
            ),
        ),
    ],
)
def test_each_summary_reads_exactly_so(
    count: int, language: str, kind: NotificationEvent, text: PushText
) -> None:
    assert summary_push_text(count, language, kind) == text


def test_the_inbox_lists_everybody_whose_certificate_lapsed_with_the_date() -> None:
    notices = [
        payload("mentor_paused_certification"),
        payload("mentor_paused_certification", display_name="Bo Dahl", certification_expires_on=None),
    ]
    text = summary_inbox_text(notices, "nb", NotificationEvent.SUMMARY_CERTIFICATION)
    assert text.title == "2 sertifiseringer har gått ut"
    assert text.body == (
        "– Sertifiseringen til Ada Berg har gått ut. Siste gyldige dag: 19. november 2026.\n"
        "– Sertifiseringen til Bo Dahl har gått ut."
    )


def test_the_inbox_lists_several_changes_without_their_reasons() -> None:
    notices = [payload(), payload("mentor_deactivated", display_name="Bo Dahl")]
    text = summary_inbox_text(notices, "en", NotificationEvent.SUMMARY, role_word="buddy")
    assert text.title == "2 new status changes"
    assert text.body == (
        "– Ada Berg is on pause. Expected back on 24 December 2026.\n– Bo Dahl no longer serves as buddy."
    )


def test_a_summary_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^count: "):
        summary_push_text(0, "nb", NotificationEvent.SUMMARY)
    with pytest.raises(ValueError, match=r"^count: "):
        summary_inbox_text([], "nb", NotificationEvent.SUMMARY)


def test_an_event_about_one_mentor_is_no_summary() -> None:
    with pytest.raises(ValueError, match=r"^kind: "):
        summary_push_text(2, "nb", NotificationEvent.MENTOR_PAUSED)


# What must never leave

letters = st.text(string.ascii_letters + "æøåÆØÅé' -", max_size=20)
# A mark that stands in no text of ours, so that finding it means that it leaked.
marked = letters.map(lambda text: f"Ẑ{text}Ẑ")


@given(
    first_name=letters.filter(lambda text: text.strip() != ""),
    surname=marked,
    reason=marked,
    column=st.sampled_from(["first name", "full name", "full name in capitals", "surname in front"]),
    situation=st.sampled_from(list(SITUATIONS)),
    language=st.sampled_from(LANGUAGES),
    about_self=st.booleans(),
    minimal=st.booleans(),
)
def test_no_reason_and_no_full_name_ever_leaves_for_google(
    first_name: str,
    surname: str,
    reason: str,
    column: str,
    situation: str,
    language: str,
    about_self: bool,
    minimal: bool,
) -> None:
    in_front = column == "surname in front"
    full_name = f"{surname}, {first_name}" if in_front else f"{first_name} {surname}"
    register = {"first name": first_name, "full name in capitals": full_name.upper()}
    notice = payload(
        situation,
        display_name=full_name,
        first_name=register.get(column, full_name),
        reason_code=reason,
    )
    text = push_text(notice, language, about_self=about_self, minimal=minimal)
    leaving = json.dumps(
        [text.title, text.body, push_data(notice, minimal=minimal)], ensure_ascii=False
    ).casefold()
    assert "ẑ" not in leaving


@given(
    first_name=letters,
    display_name=marked,
    situation=st.sampled_from(list(SITUATIONS)),
    about_self=st.booleans(),
)
def test_a_minimal_push_is_the_same_whoever_it_is_about(
    first_name: str, display_name: str, situation: str, about_self: bool
) -> None:
    ada, other = payload(situation), payload(situation, first_name=first_name, display_name=display_name)
    assert push_text(other, "nb", about_self=about_self, minimal=True) == push_text(
        ada, "nb", about_self=about_self, minimal=True
    )
    assert push_data(other, minimal=True) == push_data(ada, minimal=True)


@given(code=st.sampled_from(ReasonCode), situation=st.sampled_from(list(SITUATIONS)))
def test_no_reason_code_and_no_label_ever_leaves_for_google(code: ReasonCode, situation: str) -> None:
    told = payload(situation, reason_code=code)
    untold = payload(situation, reason_code=None)
    for language in LANGUAGES:
        for about_self in (True, False):
            assert push_text(told, language, about_self=about_self) == push_text(
                untold, language, about_self=about_self
            )
    assert push_data(told) == push_data(untold)


@given(
    first_name=st.text(max_size=300),
    role_word=st.text(max_size=300),
    situation=st.sampled_from(list(SITUATIONS)),
    language=st.sampled_from(LANGUAGES),
    about_self=st.booleans(),
)
@example("𐍈" * 500, "𐍈" * 500, "mentor_paused_certification", "en", False)
@example("𐍈" * 500, "𐍈" * 500, "return_near", "en", False)
@example("\u0301" * 500, "👩\u200d🦽" * 500, "certification_renewed, back from the pause", "nn", False)
def test_every_push_stays_below_what_fcm_takes(
    first_name: str, role_word: str, situation: str, language: str, about_self: bool
) -> None:
    longest_link = "https://pause.example/".ljust(MAX_DEEP_LINK_BYTES, "x")
    notice = payload(situation, first_name=first_name, deep_link=longest_link)
    text = push_text(notice, language, about_self=about_self, role_word=role_word)
    # Escaped to ASCII is the longest way to write it.
    message = json.dumps({"notification": [text.title, text.body], "data": push_data(notice)})
    assert len(message.encode()) < 4096
