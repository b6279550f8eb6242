"""Certificates over time: when one counts, the nightly check, renewals, reminders, and the watchdog over all of it. No sending."""
