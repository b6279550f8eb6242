"""The words of an export in bokmål, nynorsk and English. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class DocumentWords:
    """The document in one language: headings by table, labels by column, words for values. The tables stand in this order."""

    language: str
    title: str
    made_at: str
    introduction: str
    nothing: str
    yes: str
    no: str
    sections: Mapping[str, str]
    fields: Mapping[str, str]
    values: Mapping[str, str]


# Each in bokmål, nynorsk and English.
_SECTIONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "people": ("Hvem du er", "Kven du er", "Who you are"),
    "peer_mentors": ("Du som likeperson", "Du som likeperson", "You as a peer mentor"),
    "chapter_memberships": ("Lagene du hører til", "Laga du høyrer til", "Your chapters"),
    "coordinator_roles": ("Lag du koordinerer", "Lag du koordinerer", "Chapters you coordinate"),
    "organisation_admins": (
        "Organisasjoner du administrerer",
        "Organisasjonar du administrerer",
        "Organisations you administer",
    ),
    "global_admins": ("Administrator for alt", "Administrator for alt", "Administrator of everything"),
    "peer_mentor_status_history": (
        "Pauser og andre endringer",
        "Pausar og andre endringar",
        "Pauses and other changes",
    ),
    "expected_return_changes": ("Endrede returdatoer", "Endra returdatoar", "Changed return dates"),
    "scheduled_status_changes": ("Planlagte pauser", "Planlagde pausar", "Planned pauses"),
    "certifications": ("Sertifikater", "Sertifikat", "Certificates"),
    "certification_renewals": ("Fornyelser", "Fornyingar", "Renewals"),
    "certification_overrides": (
        "Unntak fra kravet om sertifikat",
        "Unntak frå kravet om sertifikat",
        "Exceptions from the certificate",
    ),
    "mentor_notices": ("Påminnelser om deg", "Påminningar om deg", "Reminders about you"),
    "mentor_reads": ("Når andre har lest om deg", "Når andre har lese om deg", "When others read about you"),
    "notifications": ("Innboksen din", "Innboksen din", "Your inbox"),
    "notification_deliveries": ("Varsler sendt til deg", "Varsel sende til deg", "Notices sent to you"),
    "device_tokens": ("Enhetene dine", "Einingane dine", "Your devices"),
    "sign_in_identities": (
        "Kontoer du logger inn med",
        "Kontoar du loggar inn med",
        "Accounts you sign in with",
    ),
    "web_sessions": ("Innlogginger på nettsiden", "Innloggingar på nettsida", "Sign-ins to the web pages"),
    "changes_of_others": (
        "Endringer du har gjort for andre",
        "Endringar du har gjort for andre",
        "Changes you made for others",
    ),
    "organisation_changes": (
        "Endringer i organisasjonen",
        "Endringar i organisasjonen",
        "Changes in the organisation",
    ),
    "reads_of_others": ("Når du har lest om andre", "Når du har lese om andre", "When you read about others"),
    "job_runs": ("Kontroller du har startet", "Kontrollar du har starta", "Checks you started"),
    "idempotency_keys": (
        "Forespørsler fra siste døgn",
        "Førespurnader frå siste døgn",
        "Requests of the last day",
    ),
    "webhook_endpoints": ("Adresser du har lagt inn", "Adresser du har lagt inn", "Addresses you added"),
}
_FIELDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "display_name": ("Navn", "Namn", "Name"),
    "first_name": ("Fornavn", "Fornamn", "First name"),
    "email": ("E-post", "E-post", "E-mail"),
    "chapter": ("Lag", "Lag", "Chapter"),
    "status": ("Status", "Status", "Status"),
    "previous_status": ("Status før", "Status før", "Status before"),
    "new_status": ("Ny status", "Ny status", "New status"),
    "changed_at": ("Endret", "Endra", "Changed"),
    "changed_by": ("Endret av", "Endra av", "Changed by"),
    "reason": ("Grunn", "Grunn", "Reason"),
    "pause_reason": ("Grunn til pausen", "Grunn til pausen", "Reason for the pause"),
    "reason_code": ("Grunn", "Grunn", "Reason"),
    "note": ("Merknad", "Merknad", "Note"),
    "pause_note": ("Merknad til pausen", "Merknad til pausen", "Note on the pause"),
    "justification": ("Begrunnelse", "Grunngiving", "Justification"),
    "pause_at": ("På pause siden", "På pause sidan", "Paused since"),
    "effective_at": ("Begynner", "Byrjar", "Begins"),
    "pause_starts_on": ("Pausen begynner", "Pausen byrjar", "The pause begins"),
    "previous_return_on": ("Ventet tilbake før", "Venta tilbake før", "Expected back before"),
    "expected_return_on": ("Ventes tilbake", "Ventast tilbake", "Expected back"),
    "reactivated_at": ("Sist tilbake", "Sist tilbake", "Last came back"),
    "updated_at": ("Sist endret", "Sist endra", "Last changed"),
    "external_id": (
        "Nummer i medlemsregisteret",
        "Nummer i medlemsregisteret",
        "Number in the member register",
    ),
    "listed": ("Vises på den åpne listen", "Viser på den opne lista", "Shown on the public list"),
    "languages": ("Språk du tilbyr", "Språk du tilbyr", "Languages you offer"),
    "presentation": ("Presentasjon", "Presentasjon", "Presentation"),
    "public_contact": ("Åpen kontakt", "Open kontakt", "Public contact"),
    "language": ("Språk", "Språk", "Language"),
    "time_zone": ("Tidssone", "Tidssone", "Time zone"),
    "push_enabled": ("Vil ha varsler på telefonen", "Vil ha varsel på telefonen", "Wants pushes"),
    "email_preferred": ("Vil heller ha e-post", "Vil heller ha e-post", "Prefers e-mail"),
    "quiet_from": ("Stille fra", "Stille frå", "Quiet from"),
    "quiet_until": ("Stille til", "Stille til", "Quiet until"),
    "active": ("I bruk", "I bruk", "Active"),
    "granted_at": ("Gitt", "Gitt", "Granted"),
    "granted_by": ("Gitt av", "Gitt av", "Granted by"),
    "kind": ("Type", "Type", "Kind"),
    "issued_on": ("Utstedt", "Utferda", "Issued"),
    "expires_on": ("Siste gyldige dag", "Siste gyldige dag", "Last valid day"),
    "certification_expires_at": (
        "Sertifikatets siste dag",
        "Siste dag for sertifikatet",
        "Last day of the certificate",
    ),
    "certification_expires_on": (
        "Sertifikatets siste dag",
        "Siste dag for sertifikatet",
        "Last day of the certificate",
    ),
    "previous_expires_on": ("Forrige siste dag", "Førre siste dag", "Last day before"),
    "ended_pause": ("Avsluttet pausen", "Avslutta pausen", "Ended the pause"),
    "valid_until": ("Gjelder til og med", "Gjeld til og med", "Holds until"),
    "recorded_at": ("Registrert", "Registrert", "Recorded"),
    "recorded_by": ("Registrert av", "Registrert av", "Recorded by"),
    "requested_at": ("Bedt om", "Bede om", "Requested"),
    "requested_by": ("Bedt om av", "Bede om av", "Requested by"),
    "settled_at": ("Avgjort", "Avgjort", "Settled"),
    "settled_by": ("Avgjort av", "Avgjort av", "Settled by"),
    "outcome": ("Resultat", "Resultat", "Outcome"),
    "event": ("Hendelse", "Hending", "Event"),
    "audience": ("Til", "Til", "For"),
    "due_on": ("Gjelder dagen", "Gjeld dagen", "For the day"),
    "actor": ("Gjort av", "Gjort av", "Done by"),
    "about_self": ("Handler om deg", "Handlar om deg", "About you"),
    "channel": ("Kanal", "Kanal", "Channel"),
    "state": ("Tilstand", "Tilstand", "State"),
    "error_code": ("Feilkode", "Feilkode", "Error code"),
    "attempts": ("Forsøk", "Forsøk", "Attempts"),
    "reference": ("Mottakers referanse", "Referansen til mottakaren", "The other side's reference"),
    "created_at": ("Laget", "Laga", "Made"),
    "timestamp": ("Tidspunkt", "Tidspunkt", "Time"),
    "told_at": ("Meldt", "Meldt", "Told"),
    "cancelled_at": ("Avlyst", "Avlyst", "Cancelled"),
    "not_before": ("Tidligst", "Tidlegast", "Not before"),
    "first_tried_at": ("Første forsøk", "Første forsøk", "First tried"),
    "read_at": ("Lest", "Lese", "Read"),
    "acknowledged_at": ("Bekreftet", "Stadfesta", "Acknowledged"),
    "platform": ("Plattform", "Plattform", "Platform"),
    "registered_at": ("Registrert", "Registrert", "Registered"),
    "last_seen_at": ("Sist sett", "Sist sett", "Last seen"),
    "issuer": ("Innloggingstjeneste", "Innloggingsteneste", "Sign-in service"),
    "subject": ("Kjent der som", "Kjend der som", "Known there as"),
    "linked_by": ("Koblet ved", "Kopla ved", "Linked by"),
    "linked_at": ("Koblet", "Kopla", "Linked"),
    "expires_at": ("Gjelder til", "Gjeld til", "Holds until"),
    "retired_at": ("Tatt ut av bruk", "Teken ut av bruk", "Retired"),
    "retired_because": ("Fordi", "Fordi", "Because"),
    "what": ("Hva", "Kva", "What"),
    "job": ("Kontroll", "Kontroll", "Check"),
    "started_at": ("Startet", "Starta", "Started"),
    "request": ("Forespørsel", "Førespurnad", "Request"),
    "url": ("Adresse", "Adresse", "Address"),
}
_VALUES: Final[Mapping[str, tuple[str, str, str]]] = {
    "active": ("aktiv", "aktiv", "active"),
    "paused": ("på pause", "på pause", "paused"),
    "inactive": ("sluttet", "slutta", "inactive"),
    "self": ("deg", "deg", "you"),
    "other": ("noen andre", "nokon andre", "somebody else"),
    "system": ("systemet", "systemet", "the system"),
    "history": ("historikken", "historikken", "the history"),
    "export": ("alt som er lagret", "alt som er lagra", "everything kept"),
    "note": ("merknaden", "merknaden", "the note"),
}


def _in(column: int, words: Mapping[str, tuple[str, str, str]]) -> Mapping[str, str]:
    return {name: told[column] for name, told in words.items()}


DOCUMENT_WORDS: Final[Mapping[str, DocumentWords]] = {
    "nb": DocumentWords(
        language="nb",
        title="Alt som er lagret om deg",
        made_at="Laget",
        introduction="Dette er alt PeerPause har lagret om deg. Andre personers navn er utelatt. Du kan be organisasjonen din om å rette eller slette det.",
        nothing="Det er ikke lagret noe om deg.",
        yes="ja",
        no="nei",
        sections=_in(0, _SECTIONS),
        fields=_in(0, _FIELDS),
        values=_in(0, _VALUES),
    ),
    "nn": DocumentWords(
        language="nn",
        title="Alt som er lagra om deg",
        made_at="Laga",
        introduction="Dette er alt PeerPause har lagra om deg. Namna til andre personar er utelatne. Du kan be organisasjonen din om å rette eller slette det.",
        nothing="Det er ikkje lagra noko om deg.",
        yes="ja",
        no="nei",
        sections=_in(1, _SECTIONS),
        fields=_in(1, _FIELDS),
        values=_in(1, _VALUES),
    ),
    "en": DocumentWords(
        language="en",
        title="Everything that is kept about you",
        made_at="Made",
        introduction="This is everything that PeerPause keeps about you. Other people's names are left out. You may ask your organisation to correct or to erase it.",
        nothing="Nothing is kept about you.",
        yes="yes",
        no="no",
        sections=_in(2, _SECTIONS),
        fields=_in(2, _FIELDS),
        values=_in(2, _VALUES),
    ),
}
