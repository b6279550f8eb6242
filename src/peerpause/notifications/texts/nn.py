"""Nynorsk."""

from __future__ import annotations

from typing import Final

from peerpause.notifications.payload import NotificationEvent
from peerpause.notifications.texts.wording import Phrase, Voices, Wording

NYNORSK: Final = Wording(
    role="likeperson",
    date_form="{day}. {month} {year}",
    months=(
        *("januar", "februar", "mars", "april", "mai", "juni"),
        *("juli", "august", "september", "oktober", "november", "desember"),
    ),
    events={
        NotificationEvent.MENTOR_PAUSED: Voices(
            Phrase(
                "{name} er på pause", "{name} har pause som {role}. Vent med nye oppdrag til pausen er over."
            ),
            Phrase(
                "Du er sett på pause", "Du har pause som {role} og får ikkje nye oppdrag før pausen er over."
            ),
        ),
        NotificationEvent.MENTOR_PAUSED_CERTIFICATION: Voices(
            Phrase(
                "Sertifiseringa til {name} har gått ut",
                "{name} er automatisk sett på pause og blir ikkje vist på nettsida. "
                "Pausen varer til sertifiseringa er fornya.",
            ),
            Phrase(
                "Sertifiseringa di har gått ut",
                "Du er difor automatisk sett på pause som {role}. "
                "Ta kontakt med koordinatoren din for å fornye sertifiseringa.",
            ),
        ),
        NotificationEvent.MENTOR_REACTIVATED: Voices(
            Phrase(
                "{name} er aktiv igjen",
                "{name} er tilbake frå pausen og kan få nye oppdrag som {role}.",
            ),
            Phrase("Du er aktiv igjen", "Pausen din er over, og du kan få nye oppdrag som {role}."),
        ),
        NotificationEvent.MENTOR_DEACTIVATED: Voices(
            Phrase(
                "{name} er ikkje lenger {role}",
                "Ikkje gi nye oppdrag til {name}. Historikken er teken vare på.",
            ),
            Phrase(
                "Du er ikkje lenger {role}",
                "Du får ikkje nye oppdrag. Ta kontakt med koordinatoren din dersom dette ikkje stemmer.",
            ),
        ),
        NotificationEvent.PAUSE_ABOUT_TO_START: Voices(
            Phrase(
                "{name} tek snart pause",
                "Ein planlagd pause for {name} startar snart. Vent med nye oppdrag.",
            ),
            Phrase(
                "Pausen din startar snart",
                "Den planlagde pausen din som {role} startar snart. "
                "Du kan avlyse han dersom noko har endra seg.",
            ),
        ),
        NotificationEvent.PLANNED_PAUSE_SKIPPED: Voices(
            Phrase(
                "Pausen til {name} starta ikkje",
                "Den planlagde pausen til {name} er fallen bort, fordi {name} ikkje var aktiv då han skulle starte.",
            ),
            Phrase(
                "Pausen din starta ikkje",
                "Den planlagde pausen din er fallen bort, fordi du ikkje var aktiv då han skulle starte.",
            ),
        ),
        NotificationEvent.CERTIFICATION_EXPIRING: Voices(
            Phrase(
                "Sertifiseringa til {name} går snart ut",
                "Dersom sertifiseringa ikkje blir fornya i tide, blir {name} sett på pause.",
            ),
            Phrase(
                "Sertifiseringa di går snart ut",
                "Forny sertifiseringa i tide, så slepp du pause. Koordinatoren din kan hjelpe deg.",
            ),
        ),
        NotificationEvent.CERTIFICATION_RENEWED: Voices(
            Phrase("Sertifiseringa til {name} er fornya", "{name} har gyldig sertifisering."),
            Phrase("Sertifiseringa di er fornya", "Du har gyldig sertifisering som {role}."),
        ),
        NotificationEvent.RETURN_NEAR: Voices(
            Phrase("{name} er snart tilbake", "Etter planen er pausen til {name} snart over."),
            Phrase(
                "Pausen din er snart over",
                "Vil du vere aktiv igjen, eller treng du lengre pause? Logg inn og gi beskjed.",
            ),
        ),
        NotificationEvent.RETURN_PASSED: Voices(
            Phrase(
                "{name} er framleis på pause",
                "Datoen då {name} skulle vere tilbake, er passert. Ta gjerne kontakt.",
            ),
            Phrase(
                "Du er framleis på pause",
                "Datoen då du skulle vere tilbake, er passert. "
                "Vil du vere aktiv igjen, eller treng du lengre pause? Logg inn og gi beskjed.",
            ),
        ),
    },
    renewed_and_back=Voices(
        Phrase(
            "Sertifiseringa til {name} er fornya",
            "Pausen er over. {name} er aktiv igjen og kan få nye oppdrag som {role}.",
        ),
        Phrase(
            "Sertifiseringa di er fornya",
            "Pausen er over. Du er aktiv igjen og kan få nye oppdrag som {role}.",
        ),
    ),
    changed=Voices(
        Phrase("Endra status", "Nokon i lokallaget ditt har endra status. Logg inn for å sjå kven."),
        Phrase("Statusen din er endra", "Logg inn for å sjå kva som er endra."),
    ),
    something_new=Voices(
        Phrase(
            "Ny melding",
            "Du har ei ny melding om nokon i lokallaget ditt. Logg inn for å lese meldinga.",
        ),
        Phrase("Ny melding", "Du har ei ny melding. Logg inn for å lese meldinga."),
    ),
    summaries={
        NotificationEvent.SUMMARY: (
            Phrase(
                "1 ny statusendring", "Nokon i lokallaget ditt har endra status. Logg inn for å sjå kven."
            ),
            Phrase(
                "{count} nye statusendringar",
                "Det er {count} nye statusendringar der du er koordinator. "
                "Logg inn for å sjå kven det gjeld.",
            ),
        ),
        NotificationEvent.SUMMARY_CERTIFICATION: (
            Phrase(
                "1 sertifisering har gått ut",
                "1 person er automatisk sett på pause fordi sertifiseringa har gått ut. "
                "Logg inn for å sjå kven.",
            ),
            Phrase(
                "{count} sertifiseringar har gått ut",
                "{count} personar er automatisk sette på pause fordi sertifiseringa har gått ut. "
                "Logg inn for å sjå kven.",
            ),
        ),
        NotificationEvent.SUMMARY_EXPIRING: (
            Phrase(
                "1 sertifisering går snart ut",
                "1 person i lokallaget ditt har ei sertifisering som går ut innan 60 dagar. Logg inn for å sjå kven.",
            ),
            Phrase(
                "{count} sertifiseringar går snart ut",
                "{count} personar der du er koordinator, har ei sertifisering som går ut innan 60 dagar. Logg inn for å sjå kven.",
            ),
        ),
        NotificationEvent.SUMMARY_NEWS: (
            Phrase(
                "1 ny melding",
                "Du har 1 ny melding. Logg inn for å lese henne.",
            ),
            Phrase(
                "{count} nye meldingar",
                "Du har {count} nye meldingar. Logg inn for å lese dei.",
            ),
        ),
    },
    reason_given="Grunn: {reason}.",
    pause_starts="Pausen startar {date}.",
    expected_back="Venta tilbake {date}.",
    last_valid_day="Siste gyldige dag: {date}.",
    reasons={
        "self_pause": "Eige ønske",
        "coordinator_pause": "Sett på pause av koordinator",
        "illness": "Sjukdom",
        "travel": "Reise",
        "personal": "Personlege grunnar",
        "family": "Familie",
        "work_or_study": "Jobb eller studium",
        "other": "Anna",
        "returned": "Tilbake frå pause",
        "resigned": "Har slutta",
        "deactivated": "Avslutta av organisasjonen",
        "certification_expired": "Sertifiseringa har gått ut",
        "certification_renewed": "Sertifiseringa er fornya",
        "return_date_reached": "Avtalt dato er nådd",
        "resignation_step": "Ledd i avslutning",
    },
)
