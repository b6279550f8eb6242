"""Every setting the program knows, written once: `PEERPAUSE_…` variables of the environment, with type, default and a sentence.

An empty variable counts as unset. What is secret never prints, and no refusal repeats a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from peerpause.errors import ConfigurationError

PREFIX: Final = "PEERPAUSE_"


def _database_address(secret: SecretStr) -> SecretStr:
    try:
        conninfo_to_dict(secret.get_secret_value())
    except psycopg.ProgrammingError:
        # From None: the driver's sentence quotes the address, password and all.
        raise ValueError("is not an address like postgresql://user:password@host:5432/database") from None
    return secret


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < 32:
        raise ValueError("has fewer than 32 bytes, so that it could be guessed")
    return secret


def _web_address(text: str) -> str:
    if not _is_address(text, schemes={"http", "https"}):
        raise ValueError("is not an address like https://example.org")
    return text.rstrip("/")


def _mail_address(secret: SecretStr) -> SecretStr:
    if not _is_address(secret.get_secret_value(), schemes={"smtp", "smtps"}):
        raise ValueError("is not an address like smtp://user:password@host:587?from=post@example.org")
    return secret


def _issuer(text: str) -> str:
    parts = urlsplit(text)
    is_here = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not _is_address(text, schemes={"http", "https"}) or not (parts.scheme == "https" or is_here):
        raise ValueError("is not an issuer like https://login.example.org (plain http: on this machine only)")
    return text  # as it is: an issuer's name is compared letter by letter, and some end with a slash


def _scopes(text: str) -> str:
    if "openid" not in text.split():
        raise ValueError("lacks the scope openid, without which the provider does not say who somebody is")
    return " ".join(text.split())


WebAddress = Annotated[str, AfterValidator(_web_address)]
Key = Annotated[SecretStr, AfterValidator(_long_enough)]


class Settings(BaseSettings):
    """What the environment says. Build it by `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="PEERPAUSE_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    database_url: Annotated[SecretStr, AfterValidator(_database_address)] | None = None
    """The PostgreSQL database, as a postgresql:// address. Unset: an embedded server in the folder .peerpause."""

    database_pool_size: int = Field(default=10, ge=1, le=1000)
    """The most connections one process opens to the database."""

    database_prepared_statements: bool = True
    """Whether the database may be asked to remember statements. Set it to false behind PgBouncer before 1.21."""

    jwt_secret: Key | None = None
    """The secret that signs access tokens with HS256 (Supabase: the project's JWT secret), 32 bytes or more."""

    jwks_url: WebAddress | None = None
    """Where the public keys of access tokens signed with RS256 or ES256 are published, instead of a secret."""

    jwt_audience: str = "authenticated"
    """What a person's access token must name as its audience."""

    jwt_issuer: str | None = None
    """Who must have issued a person's access token (its iss). Unset: whoever holds the key."""

    service_key: Key | None = None
    """The key by which jobs and servers call the HTTP API as the system, 32 bytes or more."""

    fcm_credentials: SecretStr | None = None
    """Google's service account for pushes: the path of its JSON file, or the JSON itself. Unset: no pushes are sent."""

    fcm_endpoint: WebAddress = "https://fcm.googleapis.com"
    """Where pushes are sent; another address than Google's is for tests and the demo."""

    smtp_url: Annotated[SecretStr, AfterValidator(_mail_address)] | None = None
    """The mail server, as smtp://user:password@host:587?from=post@example.org. Unset: no e-mail is sent."""

    oidc_issuer: Annotated[str, AfterValidator(_issuer)] | None = None
    """Who says who people are when they sign in to the web pages (OpenID Connect). Unset: nobody can sign in there."""

    oidc_client_id: str | None = None
    """What the issuer knows this installation by."""

    oidc_client_secret: SecretStr | None = None
    """What proves to the issuer that it is this installation. Unset: a public client, proved by PKCE alone."""

    oidc_scopes: Annotated[str, AfterValidator(_scopes)] = "openid email"
    """What the issuer is asked for, with spaces between; the address links a person at their first sign-in."""

    oidc_subject_is_user_id: bool | None = None
    """Whether the issuer's subjects are our user ids. Unset: only where it also issues the access tokens (PEERPAUSE_JWT_ISSUER)."""

    sign_ins_per_minute: int = Field(default=20, ge=0)
    """How many sign-ins may be begun, or credentials refused, in a minute from one address. 0: any number."""

    public_url: WebAddress | None = None
    """Where people reach this installation; links in notices begin with it."""

    cors_origins: str | None = None
    """Web pages of other origins that may call the HTTP API: https://app.example.org, with commas between. Unset: none."""

    changes_per_minute: int = Field(default=120, ge=0)
    """How many changes one person may make in a minute over HTTP, through all processes together. 0: any number."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much is logged."""

    def require(self, name: str) -> str:
        """The value of a setting that what is about to happen cannot do without.

        Raises ConfigurationError, saying which variable to set to what, where it is unset.
        """
        value = getattr(self, name)
        if value is None:
            raise ConfigurationError(f"{variable(name)} is not set.", hint=f"Set it. {purpose(name)}")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def load_settings(**given: Any) -> Settings:
    """Read the environment; ``given`` settings, from a command line for example, go before it.

    Raises ConfigurationError that names every variable with a wrong value and says what it is for.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = {str(each["loc"][0]): _complaint(each) for each in error.errors(include_input=False)}
        # From None: the library's own text may hold values.
        raise _refusal(wrong) from None


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def purpose(name: str) -> str:
    """The sentence that says what a setting is for."""
    return Settings.model_fields[name].description or ""


def _refusal(wrong: Mapping[str, str]) -> ConfigurationError:
    return ConfigurationError(
        "; ".join(f"{variable(name)} {complaint}" for name, complaint in wrong.items()) + ".",
        detail={"settings": [variable(name) for name in wrong]},
        hint=" ".join(f"{variable(name)}: {purpose(name)}" for name in wrong),
    )


def _complaint(error: Mapping[str, Any]) -> str:
    message = str(error["msg"])
    if error["type"] == "value_error":
        return message.removeprefix("Value error, ")
    return f"is wrong: {message[:1].lower()}{message[1:]}"


def _is_address(text: str, *, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)
