"""Words for what admins look up: states and outcomes of deliveries, channels, and what people were told of."""

from __future__ import annotations

from collections.abc import Mapping

from peerpause.web.languages import Words


def channels(words: Words) -> Mapping[str, str]:
    """By which way something was told."""
    return {"push": words.gettext("Push"), "email": words.gettext("E-mail")}


def states(words: Words) -> Mapping[str, str]:
    """Where a delivery is."""
    return {
        "sent": words.gettext("Sent"),
        "pending": words.gettext("Waiting to be sent"),
        "skipped": words.gettext("Nothing to send"),
        "failed": words.gettext("Failed"),
        "expired": words.gettext("Given up"),
    }


def outcomes(words: Words) -> Mapping[str, str]:
    """Why a delivery ended as it did."""
    return {
        "sent": words.gettext("Arrived"),
        "no_token": words.gettext("No phone is registered"),
        "opted_out": words.gettext("Does not want these messages"),
        "token_retired": words.gettext("The phone is no longer registered"),
        "not_configured": words.gettext("Sending is not set up here"),
        "failed_after_retries": words.gettext("Did not arrive after several tries"),
    }


def events(words: Words) -> Mapping[str, str]:
    """What somebody was told of."""
    return {
        "mentor_paused": words.gettext("Pause began"),
        "mentor_paused_certification": words.gettext("Pause because a certificate ran out"),
        "mentor_reactivated": words.gettext("Back from the pause"),
        "mentor_deactivated": words.gettext("Left for good"),
        "pause_about_to_start": words.gettext("Planned pause begins soon"),
        "planned_pause_skipped": words.gettext("Planned pause was dropped"),
        "certification_expiring": words.gettext("Certificate runs out soon"),
        "certification_renewed": words.gettext("Certificate renewed"),
        "return_near": words.gettext("Return date is near"),
        "return_passed": words.gettext("Return date has passed"),
    }


def statuses(words: Words) -> Mapping[str, str]:
    """What a mentor's status is called."""
    return {
        "active": words.gettext("Active"),
        "paused": words.gettext("On pause"),
        "inactive": words.gettext("Has left"),
    }
