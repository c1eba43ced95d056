"""The kinds of values that events, outcomes and policies are made of."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, StringConstraints


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        msg = "lies outside the calendar once it is in UTC"
        raise ValueError(msg) from None


# A moment: aware, kept in UTC, written as RFC 3339 with "Z".
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]

# A timer's short id. In JSON it is decimal text: many readers lose digits of integers past 2^53.
TimerId = Annotated[int, PlainSerializer(str, when_used="json")]

# Text owners choose: compared as text ("007" is not 7), 1 to 128 characters.
OwnerId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=128)]

# A tenant's name is hashed before a "/" (see `slot_of`), so it has none.
TenantName = Annotated[str, StringConstraints(pattern=r"^[^/\x00-\x1f]{1,64}$")]

# SHA-256 in hex, see `digest_of`.
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Model(BaseModel):
    """A frozen value that knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
