"""English."""

from __future__ import annotations

from typing import Final

from peerpause.notifications.payload import NotificationEvent
from peerpause.notifications.texts.wording import Phrase, Voices, Wording

ENGLISH: Final = Wording(
    role="peer mentor",
    date_form="{day} {month} {year}",
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    events={
        NotificationEvent.MENTOR_PAUSED: Voices(
            Phrase(
                "{name} is on pause",
                "{name} is on pause as {role}. Please hold new assignments until the pause is over.",
            ),
            Phrase(
                "You are on pause",
                "You are on pause as {role} and get no new assignments until the pause is over.",
            ),
        ),
        NotificationEvent.MENTOR_PAUSED_CERTIFICATION: Voices(
            Phrase(
                "{name}’s certificate has expired",
                "{name} has been paused automatically and is not shown on the web page. "
                "The pause lasts until the certificate is renewed.",
            ),
            Phrase(
                "Your certificate has expired",
                "You have therefore been paused automatically as {role}. "
                "Please contact your coordinator to renew the certificate.",
            ),
        ),
        NotificationEvent.MENTOR_REACTIVATED: Voices(
            Phrase(
                "{name} is active again",
                "{name} is back from the pause and can take new assignments as {role}.",
            ),
            Phrase("You are active again", "Your pause is over and you can get new assignments as {role}."),
        ),
        NotificationEvent.MENTOR_DEACTIVATED: Voices(
            Phrase(
                "{name} no longer serves as {role}",
                "Please give no new assignments to {name}. The history is kept.",
            ),
            Phrase(
                "You no longer serve as {role}",
                "You get no new assignments. Please contact your coordinator if this is not right.",
            ),
        ),
        NotificationEvent.PAUSE_ABOUT_TO_START: Voices(
            Phrase(
                "{name} will soon be on pause",
                "A planned pause for {name} starts soon. Please hold new assignments.",
            ),
            Phrase(
                "Your pause starts soon",
                "Your planned pause as {role} starts soon. You can cancel it if something has changed.",
            ),
        ),
        NotificationEvent.PLANNED_PAUSE_SKIPPED: Voices(
            Phrase(
                "{name}’s pause did not start",
                "The planned pause of {name} has been dropped, because {name} was not active when it was due to start.",
            ),
            Phrase(
                "Your pause did not start",
                "Your planned pause has been dropped, because you were not active when it was due to start.",
            ),
        ),
        NotificationEvent.CERTIFICATION_EXPIRING: Voices(
            Phrase(
                "{name}’s certificate expires soon",
                "If the certificate is not renewed in time, {name} will be paused.",
            ),
            Phrase(
                "Your certificate expires soon",
                "Renew the certificate in time to avoid a pause. Your coordinator can help you.",
            ),
        ),
        NotificationEvent.CERTIFICATION_RENEWED: Voices(
            Phrase("{name}’s certificate has been renewed", "{name} holds a valid certificate."),
            Phrase("Your certificate has been renewed", "You hold a valid certificate as {role}."),
        ),
        NotificationEvent.RETURN_NEAR: Voices(
            Phrase("{name} will be back soon", "If all goes to plan, {name}’s pause is nearly over."),
            Phrase(
                "Your pause is nearly over",
                "Do you want to be active again, or do you need a longer pause? Sign in and let us know.",
            ),
        ),
        NotificationEvent.RETURN_PASSED: Voices(
            Phrase(
                "{name} is still on pause",
                "The date when {name} was expected back has passed. Please get in touch.",
            ),
            Phrase(
                "You are still on pause",
                "The date when you were expected back has passed. "
                "Do you want to be active again, or do you need a longer pause? Sign in and let us know.",
            ),
        ),
    },
    renewed_and_back=Voices(
        Phrase(
            "{name}’s certificate has been renewed",
            "The pause is over. {name} is active again and can take new assignments as {role}.",
        ),
        Phrase(
            "Your certificate has been renewed",
            "The pause is over. You are active again and can get new assignments as {role}.",
        ),
    ),
    changed=Voices(
        Phrase("Status changed", "Someone in your chapter changed status. Sign in to see who."),
        Phrase("Your status has changed", "Sign in to see what has changed."),
    ),
    something_new=Voices(
        Phrase("New message", "You have a new message about someone in your chapter. Sign in to read it."),
        Phrase("New message", "You have a new message. Sign in to read it."),
    ),
    summaries={
        NotificationEvent.SUMMARY: (
            Phrase("1 new status change", "Someone in your chapter changed status. Sign in to see who."),
            Phrase(
                "{count} new status changes",
                "There are {count} new status changes where you are a coordinator. Sign in to see who.",
            ),
        ),
        NotificationEvent.SUMMARY_CERTIFICATION: (
            Phrase(
                "1 certificate has expired",
                "1 person has been paused automatically because the certificate has expired. "
                "Sign in to see who.",
            ),
            Phrase(
                "{count} certificates have expired",
                "{count} people have been paused automatically because their certificates have expired. "
                "Sign in to see who.",
            ),
        ),
        NotificationEvent.SUMMARY_EXPIRING: (
            Phrase(
                "1 certificate expires soon",
                "1 person in your chapter has a certificate that expires within 60 days. Sign in to see who.",
            ),
            Phrase(
                "{count} certificates expire soon",
                "{count} people where you are a coordinator have a certificate that expires within 60 days. Sign in to see who.",
            ),
        ),
        NotificationEvent.SUMMARY_NEWS: (
            Phrase(
                "1 new message",
                "You have 1 new message. Sign in to read it.",
            ),
            Phrase(
                "{count} new messages",
                "You have {count} new messages. Sign in to read them.",
            ),
        ),
    },
    reason_given="Reason: {reason}.",
    pause_starts="The pause starts on {date}.",
    expected_back="Expected back on {date}.",
    last_valid_day="Last valid day: {date}.",
    reasons={
        "self_pause": "Own wish",
        "coordinator_pause": "Paused by a coordinator",
        "illness": "Illness",
        "travel": "Travel",
        "personal": "Personal reasons",
        "family": "Family",
        "work_or_study": "Work or study",
        "other": "Other",
        "returned": "Back from a pause",
        "resigned": "Has resigned",
        "deactivated": "Ended by the organisation",
        "certification_expired": "The certificate has expired",
        "certification_renewed": "The certificate has been renewed",
        "return_date_reached": "The agreed date has come",
        "resignation_step": "Part of resigning",
    },
)
