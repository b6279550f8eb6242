"""What a request for a list may say: how many, from where on, in which order, of which period. Beside the other things that the
routes of all rooms ask of a request.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query
from pydantic import AwareDatetime

SORT: Final = "What to sort by; with a minus before it, the other way round."

Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="Where the last page ended: its `next`.")]
Since = Annotated[AwareDatetime | None, Query(description="Only from this time on.")]
Until = Annotated[AwareDatetime | None, Query(description="Only from before this time.")]
