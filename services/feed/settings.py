"""Settings of the feed, read once, in `app`, from FEED_… variables.

Addresses and secrets have no default: a forgotten one fails at start, by name.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.identity import KEY_BYTES_MIN
from shared.outside.trusted import TrustedIssuers, TrustedSource
from shared.settings import KafkaSettings, PostgresSettings


class Settings(KafkaSettings, PostgresSettings):
    """Read once, in `app`. Everywhere else receives values, never this object."""

    model_config = SettingsConfigDict(env_prefix="FEED_", frozen=True)

    # Verifies bearer tokens: the command API's `COMMAND_API_TOKEN_KEY`.
    token_key: Annotated[SecretStr, Field(min_length=KEY_BYTES_MIN)]

    # Identity providers whose signed tokens are believed: the command API's `COMMAND_API_ISSUERS`.
    issuers: TrustedIssuers = ()
    # The one source that is asked about opaque tokens which are not in our tables: the command API's
    # `COMMAND_API_INTROSPECTION`, with a secret in it.
    introspection: TrustedSource = None

    # The address that the feed listens on. A container says 0.0.0.0.
    http_host: str = "127.0.0.1"
    # 0: any free port.
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8082

    # How many outcomes of all tenants are kept for readers. A reader that asks for older ones hears 410.
    window_outcomes_max: Annotated[int, Field(ge=1)] = 50_000
    # The same in bytes, about as much as they take in memory. At least 4 MiB, so that the largest outcome fits.
    window_bytes_max: Annotated[int, Field(ge=4 * 1024 * 1024)] = 64 * 1024 * 1024
    # How many readers there may be at one time. Beyond it further ones hear 503. Each may have 200 KB in buffers.
    readers_max: PositiveInt = 500
    # How many of them one tenant may have. Beyond it the tenant hears 429.
    readers_of_tenant_max: PositiveInt = 50

    # How often a quiet stream of events says that it is alive: more often than the gateway's 40 s.
    keep_alive_seconds: Annotated[float, Field(gt=0, le=30)] = 15.0
    # A reader that takes nothing for this long is cut off.
    send_within_seconds: PositiveFloat = 30.0
    # How long a lookup of a token or of its client may take. After that a caller with a person's token hears 503, and a
    # client is believed to be what it was.
    postgres_within_seconds: PositiveFloat = 1.0

    # How long to keep serving after SIGTERM while `/readyz` already answers 503, so that balancers stop sending first.
    # Then all streams end, and their readers go on elsewhere.
    drain_seconds: NonNegativeFloat = 0.0
    # How long readers have after the drain to take what is on its way to them.
    grace_seconds: PositiveInt = 3
