"""Settings of the command API, read once, in `app`, from COMMAND_API_… variables.

Addresses and secrets have no default: a forgotten one fails at start, by name.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.identity import KEY_BYTES_MIN
from shared.settings import KafkaSettings, PostgresSettings


class Settings(KafkaSettings, PostgresSettings):
    """Read once, in `app`. Everywhere else receives values, never this object."""

    model_config = SettingsConfigDict(env_prefix="COMMAND_API_", frozen=True)

    # Signs and verifies bearer tokens: the same for every replica.
    token_key: Annotated[SecretStr, Field(min_length=KEY_BYTES_MIN)]

    # Where it listens. A container says 0.0.0.0.
    http_host: str = "127.0.0.1"
    # 0: any that is free.
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080

    # How long a caller waits for the verdict when the request does not say.
    answer_within_seconds: PositiveFloat = 2.0
    # How long a caller waits for the log's ack. After it the fate of the press is unknown to us, and we say so.
    publish_within_seconds: PositiveFloat = 5.0
    # A press that reaches the log later than this after it was pressed is void: its caller has gone by then.
    expiry_seconds: PositiveFloat = 30.0
    # Beyond this the broker's clock and ours do not agree, and what we record would be void or in the future.
    clock_off_seconds_max: PositiveFloat = 10.0

    # How many days back a start or a resume may be dated, before any rule of the tenant. An older one is refused (R03).
    backdate_days_max: Annotated[int, Field(ge=1, le=36_600)] = 62

    # Answer errors of dialect B with HTTP 200, for clients that read only the body. 401, 429 and 503 stay.
    zoho_errors_as_200: bool = False

    # What may be sent and not yet acked, in presses and texts. Beyond it callers hear 503 at once.
    unacked_records_max: PositiveInt = 10_000
    # The same in bytes.
    unacked_bytes_max: PositiveInt = 32 * 1024 * 1024
    # How many callers may wait for a verdict at one time. Beyond it the next hear 503 at once.
    waiters_max: PositiveInt = 10_000

    # The largest body of a request.
    max_body_bytes: PositiveInt = 65_536
    # A body that takes longer to arrive is not read to its end.
    body_within_seconds: PositiveFloat = 5.0
    # So long it waits to be ready before it listens; after that it listens in any case, and says itself that it is not.
    # For who balances by a name alone: there everybody who listens is asked.
    listen_when_ready_within_seconds: NonNegativeFloat = 0.0
    # From SIGTERM on it is not ready, and serves so long still: who balances requests needs a moment to notice.
    drain_seconds: NonNegativeFloat = 0.0
    # What is in flight after that has so long to hear its answer.
    grace_seconds: PositiveInt = 10

    # Connections to Postgres, made when somebody asks for one.
    postgres_connections_max: PositiveInt = 10
    # A read that takes longer is given up, and its caller hears 503.
    postgres_within_seconds: PositiveFloat = 1.0
    # How many tokens are remembered as good, so that Postgres need not be asked for each request.
    tokens_max: PositiveInt = 100_000
    # A person's token that was withdrawn is believed for so long.
    token_fresh_seconds: PositiveFloat = 60.0
