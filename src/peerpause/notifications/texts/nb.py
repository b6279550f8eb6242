"""Bokmål."""

from __future__ import annotations

from typing import Final

from peerpause.notifications.payload import NotificationEvent
from peerpause.notifications.texts.wording import Phrase, Voices, Wording

BOKMAAL: Final = Wording(
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
                "Du er satt på pause", "Du har pause som {role} og får ikke nye oppdrag før pausen er over."
            ),
        ),
        NotificationEvent.MENTOR_PAUSED_CERTIFICATION: Voices(
            Phrase(
                "Sertifiseringen til {name} har gått ut",
                "{name} er automatisk satt på pause og vises ikke på nettsiden. "
                "Pausen varer til sertifiseringen er fornyet.",
            ),
            Phrase(
                "Sertifiseringen din har gått ut",
                "Du er derfor automatisk satt på pause som {role}. "
                "Ta kontakt med koordinatoren din for å fornye sertifiseringen.",
            ),
        ),
        NotificationEvent.MENTOR_REACTIVATED: Voices(
            Phrase(
                "{name} er aktiv igjen",
                "{name} er tilbake fra pausen og kan få nye oppdrag som {role}.",
            ),
            Phrase("Du er aktiv igjen", "Pausen din er over, og du kan få nye oppdrag som {role}."),
        ),
        NotificationEvent.MENTOR_DEACTIVATED: Voices(
            Phrase(
                "{name} er ikke lenger {role}",
                "Ikke gi nye oppdrag til {name}. Historikken er tatt vare på.",
            ),
            Phrase(
                "Du er ikke lenger {role}",
                "Du får ikke nye oppdrag. Ta kontakt med koordinatoren din hvis dette ikke stemmer.",
            ),
        ),
        NotificationEvent.PAUSE_ABOUT_TO_START: Voices(
            Phrase(
                "{name} tar snart pause",
                "En planlagt pause for {name} starter snart. Vent med nye oppdrag.",
            ),
            Phrase(
                "Pausen din starter snart",
                "Den planlagte pausen din som {role} starter snart. Du kan avlyse den hvis noe har endret seg.",
            ),
        ),
        NotificationEvent.PLANNED_PAUSE_SKIPPED: Voices(
            Phrase(
                "Pausen til {name} startet ikke",
                "Den planlagte pausen til {name} er falt bort, fordi {name} ikke var aktiv da den skulle starte.",
            ),
            Phrase(
                "Pausen din startet ikke",
                "Den planlagte pausen din er falt bort, fordi du ikke var aktiv da den skulle starte.",
            ),
        ),
        NotificationEvent.CERTIFICATION_EXPIRING: Voices(
            Phrase(
                "Sertifiseringen til {name} går snart ut",
                "Hvis sertifiseringen ikke blir fornyet i tide, blir {name} satt på pause.",
            ),
            Phrase(
                "Sertifiseringen din går snart ut",
                "Forny sertifiseringen i tide, så slipper du pause. Koordinatoren din kan hjelpe deg.",
            ),
        ),
        NotificationEvent.CERTIFICATION_RENEWED: Voices(
            Phrase("Sertifiseringen til {name} er fornyet", "{name} har gyldig sertifisering."),
            Phrase("Sertifiseringen din er fornyet", "Du har gyldig sertifisering som {role}."),
        ),
        NotificationEvent.RETURN_NEAR: Voices(
            Phrase("{name} er snart tilbake", "Etter planen er pausen til {name} snart over."),
            Phrase(
                "Pausen din er snart over",
                "Vil du være aktiv igjen, eller trenger du lengre pause? Logg inn og gi beskjed.",
            ),
        ),
        NotificationEvent.RETURN_PASSED: Voices(
            Phrase(
                "{name} er fortsatt på pause",
                "Datoen da {name} skulle være tilbake, er passert. Ta gjerne kontakt.",
            ),
            Phrase(
                "Du er fortsatt på pause",
                "Datoen da du skulle være tilbake, er passert. "
                "Vil du være aktiv igjen, eller trenger du lengre pause? Logg inn og gi beskjed.",
            ),
        ),
    },
    renewed_and_back=Voices(
        Phrase(
            "Sertifiseringen til {name} er fornyet",
            "Pausen er over. {name} er aktiv igjen og kan få nye oppdrag som {role}.",
        ),
        Phrase(
            "Sertifiseringen din er fornyet",
            "Pausen er over. Du er aktiv igjen og kan få nye oppdrag som {role}.",
        ),
    ),
    changed=Voices(
        Phrase("Endret status", "Noen i lokallaget ditt har endret status. Logg inn for å se hvem."),
        Phrase("Statusen din er endret", "Logg inn for å se hva som er endret."),
    ),
    something_new=Voices(
        Phrase(
            "Ny melding",
            "Du har en ny melding om noen i lokallaget ditt. Logg inn for å lese den.",
        ),
        Phrase("Ny melding", "Du har en ny melding. Logg inn for å lese den."),
    ),
    summaries={
        NotificationEvent.SUMMARY: (
            Phrase("1 ny statusendring", "Noen i lokallaget ditt har endret status. Logg inn for å se hvem."),
            Phrase(
                "{count} nye statusendringer",
                "Det er {count} nye statusendringer der du er koordinator. Logg inn for å se hvem det gjelder.",
            ),
        ),
        NotificationEvent.SUMMARY_CERTIFICATION: (
            Phrase(
                "1 sertifisering har gått ut",
                "1 person er automatisk satt på pause fordi sertifiseringen har gått ut. "
                "Logg inn for å se hvem.",
            ),
            Phrase(
                "{count} sertifiseringer har gått ut",
                "{count} personer er automatisk satt på pause fordi sertifiseringen har gått ut. "
                "Logg inn for å se hvem.",
            ),
        ),
        NotificationEvent.SUMMARY_EXPIRING: (
            Phrase(
                "1 sertifisering går snart ut",
                "1 person i lokallaget ditt har en sertifisering som går ut innen 60 dager. Logg inn for å se hvem.",
            ),
            Phrase(
                "{count} sertifiseringer går snart ut",
                "{count} personer der du er koordinator, har en sertifisering som går ut innen 60 dager. Logg inn for å se hvem.",
            ),
        ),
        NotificationEvent.SUMMARY_NEWS: (
            Phrase(
                "1 ny melding",
                "Du har 1 ny melding. Logg inn for å lese den.",
            ),
            Phrase(
                "{count} nye meldinger",
                "Du har {count} nye meldinger. Logg inn for å lese dem.",
            ),
        ),
    },
    reason_given="Grunn: {reason}.",
    pause_starts="Pausen starter {date}.",
    expected_back="Forventet tilbake {date}.",
    last_valid_day="Siste gyldige dag: {date}.",
    reasons={
        "self_pause": "Eget ønske",
        "coordinator_pause": "Satt på pause av koordinator",
        "illness": "Sykdom",
        "travel": "Reise",
        "personal": "Personlige grunner",
        "family": "Familie",
        "work_or_study": "Jobb eller studier",
        "other": "Annet",
        "returned": "Tilbake fra pause",
        "resigned": "Har sluttet",
        "deactivated": "Avsluttet av organisasjonen",
        "certification_expired": "Sertifiseringen har gått ut",
        "certification_renewed": "Sertifiseringen er fornyet",
        "return_date_reached": "Avtalt dato er nådd",
        "resignation_step": "Ledd i avslutning",
    },
)
