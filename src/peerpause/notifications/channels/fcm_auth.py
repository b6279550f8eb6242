"""Who we are to Google: a service account (or another google-auth credential) and the access tokens it is good for.

google-auth signs and fetches; here its blocking call is kept off the event loop, made once for all who wait, and its
failures are turned into channel replies that hold no secret.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import google.auth
from google.auth.credentials import TokenState, with_scopes_if_required
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request

from peerpause.errors import ConfigurationError
from peerpause.notifications.channels import Refused, TryAgain

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_SETTING = "PEERPAUSE_FCM_CREDENTIALS"
_KINDS = ("service_account", "external_account", "impersonated_service_account", "authorized_user")
_SERVICE_ACCOUNT_FIELDS = ("project_id", "client_email", "private_key", "token_uri")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{2,}")
_OAUTH_ERROR = re.compile(r"[a-z_]{1,64}")
_EARLY_RENEWAL_PAUSE = 10.0
_LONGEST_SHOWN_PATH = 200


class GoogleCredentials(Protocol):
    """What we use of google-auth's credentials."""

    token: str | None

    @property
    def token_state(self) -> TokenState:
        """Fresh, stale (valid, but to be renewed) or invalid."""
        ...

    def refresh(self, request: Callable[..., Any]) -> None:
        """Fetch a new access token; blocks."""
        ...


@dataclass(frozen=True, slots=True)
class FcmCredentials:
    """A Firebase project and the identity we send to it with."""

    project_id: str
    google: GoogleCredentials = field(repr=False)


def load_credentials(setting: str, *, project_id: str | None = None) -> FcmCredentials:
    """Read ``PEERPAUSE_FCM_CREDENTIALS``: the path of a credential file, or its JSON text. Asks nobody on the network.

    ``project_id`` overrides the file's own, which workload identity files often lack. Raises ``ConfigurationError`` for
    anything unreadable or missing; its message names the field, never a value.
    """
    info = _read(setting)
    kind = info.get("type")
    if kind not in _KINDS:
        raise _refusal(f"has no known type (one of {', '.join(_KINDS)})")
    if kind == "service_account":
        missing = [name for name in _SERVICE_ACCOUNT_FIELDS if not _text(info, name)]
        if missing:
            raise _refusal(f"lacks {', '.join(missing)}")
    project = project_id or _project_of(info)
    if project is None or not _PROJECT.fullmatch(project):
        raise _refusal("names no Firebase project", hint="Add a project_id field to the JSON.")
    credentials = _google_credentials(info)
    if credentials is None:
        raise _refusal("cannot be used: a field such as private_key is damaged")
    return FcmCredentials(project_id=project, google=credentials)


class AccessTokens:
    """The current access token, renewed before it ends, by one request at a time however many wait for it.

    ``timeout`` (seconds) bounds each request to the token endpoint; ``clock`` counts monotonic seconds.
    """

    def __init__(
        self, google: GoogleCredentials, *, timeout: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._google = google
        self._request = _single_request(timeout)
        self._clock = clock
        self._renewing: asyncio.Task[str | TryAgain | Refused] | None = None
        self._no_early_renewal_before = float("-inf")

    async def current(self) -> str | TryAgain | Refused:
        """A token good for one request now, or why there is none."""
        state = self._google.token_state
        if state is TokenState.INVALID or self._google.token is None:
            return await self._renew()
        if state is TokenState.STALE:
            return await self._renew_early(self._google.token)
        return self._google.token

    async def replace(self, refused: str) -> str | TryAgain | Refused:
        """Another token than the ``refused`` one; asks Google only if nobody else has replaced it meanwhile."""
        held = self._google.token
        return held if held is not None and held != refused else await self._renew()

    async def close(self) -> None:
        """Stop waiting for a renewal that is under way."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _renew_early(self, still_valid: str) -> str:
        """Renew a token about to end; whoever comes meanwhile, or finds the endpoint away, goes on with the old one."""
        if self._is_renewing() or self._clock() < self._no_early_renewal_before:
            return still_valid
        outcome = await self._renew()
        if isinstance(outcome, str):
            return outcome
        self._no_early_renewal_before = self._clock() + _EARLY_RENEWAL_PAUSE
        return still_valid

    async def _renew(self) -> str | TryAgain | Refused:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(asyncio.to_thread(self._fetch))
        # One who gives up waiting must not take the renewal away from the others.
        return await asyncio.shield(self._renewing)

    def _is_renewing(self) -> bool:
        return self._renewing is not None and not self._renewing.done()

    def _fetch(self) -> str | TryAgain | Refused:
        try:
            self._google.refresh(self._request)
        except RefreshError as refusal:
            passing = refusal.retryable or isinstance(refusal.__cause__, TransportError)
            return (
                TryAgain("TOKEN_ENDPOINT") if passing else Refused(_oauth_error(refusal), misconfigured=True)
            )
        except GoogleAuthError:
            return TryAgain("TOKEN_ENDPOINT")
        except OSError:
            # requests reports a missing certificate bundle so; no waiting brings it back.
            return Refused("TOKEN_REQUEST_IMPOSSIBLE", misconfigured=True)
        except (ValueError, KeyError, TypeError, AttributeError):
            # google-auth trusts the shape of a 200; something that is not Google answered.
            return TryAgain("TOKEN_ENDPOINT_ANSWER")
        return self._google.token or TryAgain("TOKEN_ENDPOINT_ANSWER")


def _read(setting: str) -> dict[str, Any]:
    text = setting.strip()
    if not text.startswith("{"):
        text = _read_file(text)
    try:
        info = json.loads(text)
    except (ValueError, RecursionError):
        info = None
    if not isinstance(info, dict):
        raise _refusal("is not a JSON object")
    return info


def _read_file(path: str) -> str:
    # A key pasted without its brace would look like a path: show only what can be one.
    shown = f" ({path})" if len(path) <= _LONGEST_SHOWN_PATH and "\n" not in path and "{" not in path else ""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError):
        raise _refusal(f"names a file that cannot be read{shown}") from None


def _google_credentials(info: Mapping[str, Any]) -> GoogleCredentials | None:
    # Annotated, because google-auth leaves its functions untyped.
    load: Callable[..., tuple[object, object]] = google.auth.load_credentials_from_dict
    scoped: Callable[..., GoogleCredentials] = with_scopes_if_required
    try:
        with warnings.catch_warnings():
            # The warning is about credentials from strangers; these are the operator's own, of a kind checked above.
            warnings.simplefilter("ignore", DeprecationWarning)
            # Without scopes google-auth does not look up the project over the network; they are added afterwards.
            loaded, _ = load(info)
        return scoped(loaded, [SCOPE])
    except (GoogleAuthError, ValueError, KeyError, TypeError, AttributeError):
        # No more is said: the library's own error may quote what it could not read.
        return None


def _project_of(info: Mapping[str, Any]) -> str | None:
    impersonated = re.search(
        r"/serviceAccounts/[^/@]+@([^/@]+)\.iam\.gserviceaccount\.com:",
        _text(info, "service_account_impersonation_url") or "",
    )
    named = _text(info, "project_id") or _text(info, "quota_project_id")
    return named or (impersonated.group(1) if impersonated else None)


def _text(info: Mapping[str, Any], name: str) -> str | None:
    value = info.get(name)
    return value if isinstance(value, str) and value.strip() else None


def _refusal(what: str, *, hint: str | None = None) -> ConfigurationError:
    return ConfigurationError(
        f"{_SETTING} {what}.",
        hint=hint or "Give the path of a Firebase service-account file, or its JSON text.",
    )


def _single_request(timeout: float) -> Callable[..., Any]:
    """google-auth's transport without its own repeats: trying again is the dispatcher's business, and it sleeps nowhere else."""
    transport: Callable[..., Any] = Request()
    failure: Callable[[str], Exception] = TransportError

    def request(url: str, method: str = "GET", **arguments: Any) -> Any:
        response = transport(url, method=method, **{**arguments, "timeout": timeout})
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status in {
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.REQUEST_TIMEOUT,
        }:
            raise failure(f"the token endpoint answered {response.status}")
        return response

    return request


def _oauth_error(refusal: RefreshError) -> str:
    answer = refusal.args[1] if len(refusal.args) > 1 else None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, str) and _OAUTH_ERROR.fullmatch(error) else "REFRESH_REFUSED"
