"""`/functions/v1/…`: what `functions.invoke` of a Supabase client calls. For servers that hold the service key, and nobody else."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from peerpause.auth.callers import OnlyService
from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.notifications.bell import OutboxBell
from peerpause.notifications.by_token import MOST_TOKENS, TokenPusher

router = APIRouter(prefix="/functions/v1", tags=["supabase"])


class _Parts(Protocol):
    """What these routes need of the process they run in."""

    @property
    def by_token(self) -> TokenPusher: ...
    @property
    def expiry(self) -> CertificationExpiryJob: ...
    @property
    def bell(self) -> OutboxBell: ...


def _as_text(value: object) -> object:
    # FCM takes text only; what callers send as numbers or truth values is meant all the same.
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return value


DataValue = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int | float | bool)]


class PushText(BaseModel):
    """What the phones show."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    body: Annotated[str, Field(max_length=1000)] = ""


class PushRequest(BaseModel):
    """A message for devices, by their registration tokens."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "tokens": ["fGx0:APA91bE"],
                    "notification": {"title": "Ada is taking a break", "body": "Open the app to see more."},
                    "data": {"mentor_id": "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10"},
                }
            ]
        }
    )

    tokens: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[!-~]+$")]],
        Field(min_length=1, max_length=MOST_TOKENS),
    ]
    notification: PushText
    data: Annotated[dict[str, DataValue], Field(max_length=100)] = Field(default_factory=dict)


class TokenResult(BaseModel):
    """How it went with one token."""

    token: str
    success: bool
    message_id: str | None = Field(description="Google's name of the message, where it took it.")
    error: str | None = Field(description="Google's code, or not_configured where no push service is set up.")
    retired: bool = Field(
        description="True where the token will never work again; we have forgotten it, so should you."
    )


class PushResult(BaseModel):
    """How it went with every token, once each, in the order given."""

    success_count: int
    failure_count: int
    results: list[TokenResult]


class ExpiryResult(BaseModel):
    """What a run of the certificate check did. Without a `job_id` nothing was done, because another run is at it."""

    job_id: UUID | None
    status: str
    queried: int
    paused: int
    skipped: int
    errors: int
    duration_ms: int


@router.post("/send-push-notifications")
async def send_push_notifications(body: PushRequest, request: Request, _service: OnlyService) -> PushResult:
    """Push one message to many devices. A token that fails does not stop the others, and the answer is 200 all the same."""
    parts: _Parts = request.app.state.services
    outcomes = await parts.by_token.send(
        body.tokens, title=body.notification.title, body=body.notification.body, data=body.data
    )
    succeeded = sum(outcome.success for outcome in outcomes)
    return PushResult(
        success_count=succeeded,
        failure_count=len(outcomes) - succeeded,
        results=[
            TokenResult(
                token=each.token,
                success=each.success,
                message_id=each.reference,
                error=each.error,
                retired=each.retired,
            )
            for each in outcomes
        ],
    )


@router.post("/certification-expiry-job")
async def run_certification_expiry_job(request: Request, _service: OnlyService) -> ExpiryResult:
    """Run the certificate check over everybody, as an external scheduler does. A second trigger while it runs does nothing."""
    parts: _Parts = request.app.state.services
    report: dict[str, Any] = asdict(await parts.expiry.run())
    parts.bell.ring()
    return ExpiryResult(**{name: report[name] for name in ExpiryResult.model_fields})
