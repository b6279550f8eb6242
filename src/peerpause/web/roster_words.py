"""The words of the roster's filters and columns."""

from __future__ import annotations

from collections.abc import Mapping

from peerpause.directory.mentors import CertificateFilter, CertificateState, Sort
from peerpause.web.languages import Words


def choices(words: Words) -> Mapping[str, Mapping[str, str]]:
    """For each filter what can be chosen."""
    return {
        "status": {
            "": words.gettext("Active and on pause"),
            "active": words.gettext("Active"),
            "paused": words.gettext("On pause"),
            "inactive": words.gettext("Has left"),
            "all": words.gettext("Everybody, also who has left"),
        },
        "certificate": {
            "": words.gettext("All"),
            CertificateFilter.VALID.value: words.gettext("Valid"),
            CertificateFilter.EXPIRING.value: words.gettext("Runs out soon"),
            CertificateFilter.EXPIRED.value: words.gettext("Has run out"),
            CertificateFilter.NONE.value: words.gettext("None, or none needed"),
        },
        "sort": {
            Sort.NAME.value: words.gettext("Name"),
            Sort.STATUS.value: words.gettext("Status"),
            Sort.SINCE.value: words.gettext("Longest in this status first"),
            f"-{Sort.SINCE}": words.gettext("Latest change first"),
            Sort.RETURN.value: words.gettext("Soonest back first"),
            Sort.CERTIFICATE.value: words.gettext("Certificate that ends soonest first"),
        },
    }


def told_by_certificate(words: Words) -> Mapping[CertificateState, str]:
    """What a mentor's certificate is said to be."""
    return {
        CertificateState.NOT_REQUIRED: words.gettext("Not needed"),
        CertificateState.VALID: words.gettext("Valid"),
        CertificateState.EXPIRING: words.gettext("Runs out soon"),
        CertificateState.EXPIRED: words.gettext("Has run out"),
        CertificateState.MISSING: words.gettext("None"),
    }
