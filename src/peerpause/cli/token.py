"""`peerpause token`: an access token for development, signed as Supabase Auth would sign it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from peerpause.auth.tokens import Role, issue_token
from peerpause.settings import load_settings

_DURATION = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(text: str | timedelta) -> timedelta:
    if isinstance(text, timedelta):  # the default
        return text
    found = _DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter("write it like 30m, 8h or 365d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Sub = Annotated[UUID | None, typer.Option(help="The person's user id; needed for the role authenticated.")]
OfRole = Annotated[Role, typer.Option(help="The database role.")]
ExpiresIn = Annotated[
    timedelta,
    typer.Option(parser=_duration, metavar="DURATION", help="How long it is good for: 30m, 8h, 365d."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with JSON on standard output.")]


def token(
    sub: Sub = None,
    role: OfRole = "authenticated",
    expires_in: ExpiresIn = timedelta(hours=1),
    as_json: AsJson = False,
) -> None:
    """Print an access token signed with PEERPAUSE_JWT_SECRET. For development: real ones come from the sign-in service.

    With --role anon or service_role it is the key of a project, as Supabase clients take it.
    """
    if (role == "authenticated") != (sub is not None):
        raise typer.BadParameter("the role authenticated needs --sub, and no other role takes it")
    settings = load_settings()
    secret = settings.require("jwt_secret")
    made = issue_token(secret=secret, sub=sub, role=role, expires_in=expires_in, issuer=settings.jwt_issuer)
    typer.echo(
        json.dumps({"token": made, "expires_in": int(expires_in.total_seconds())}) if as_json else made
    )
