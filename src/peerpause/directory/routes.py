"""The HTTP routes of a person's devices: which of them get their pushes."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from peerpause.auth.callers import Person
from peerpause.database.session import Sessions

router = APIRouter(prefix="/v1", tags=["devices"])


class _Parts(Protocol):
    """What these routes need of the process they run in."""

    @property
    def sessions(self) -> Sessions: ...


class DeviceRequest(BaseModel):
    """A device that is to get the caller's pushes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"platform": "android"}]})

    platform: Literal["android", "ios", "web"]
    kind: Annotated[
        Literal["token", "fid"], Field(description="A registration token, or a Firebase installation id.")
    ] = "token"


# Long ones are real: Google promises no length.
DeviceToken = Annotated[
    str,
    Path(
        min_length=8,
        max_length=4096,
        pattern=r"^[A-Za-z0-9_:.=-]+$",
        description="What the Firebase SDK gave, unchanged.",
        examples=["fGx0-example:APA91bE-example"],
    ),
]


@router.put("/device-tokens/{token}", status_code=204)
async def register_device(token: DeviceToken, body: DeviceRequest, request: Request, caller: Person) -> None:
    """The device in the caller's hand gets their pushes from now on. A token has one owner: who signs in on it takes it over."""
    await _sessions(request).call(
        caller, "register_device", {"token": token, "platform": body.platform, "kind": body.kind}
    )


@router.delete("/device-tokens/{token}", status_code=204)
async def release_device(token: DeviceToken, request: Request, caller: Person) -> None:
    """The device no longer gets the caller's pushes, as at signing out. One that is not theirs stays as it is."""
    await _sessions(request).call(caller, "release_device", {"token": token})


def _sessions(request: Request) -> Sessions:
    parts: _Parts = request.app.state.services
    return parts.sessions
