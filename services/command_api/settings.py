"""Settings of the command API, read once, in `app`, from COMMAND_API_… variables.

Addresses and secrets have no default: a forgotten one fails at start, by name. So does a limit that contradicts
another one; docs/operations.md ("Limits that depend on each other") says why.
"""

import re
from typing import Annotated, Final

from pydantic import (
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.identity import KEY_BYTES_MIN
from shared.outside.trusted import TrustedIssuers, TrustedSource
from shared.settings import COMPARED, KafkaSettings, PostgresSettings

# An origin as a browser writes it: small letters, no path, and no port that is the scheme's own.
_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_OWN_PORTS: Final = (("http", ":80"), ("https", ":443"))


class Settings(KafkaSettings, PostgresSettings):
    """Read once, in `app`. Everywhere else receives values, never this object."""

    model_config = SettingsConfigDict(env_prefix="COMMAND_API_", frozen=True)

    # Signs and verifies bearer tokens: the same for every replica.
    token_key: Annotated[SecretStr, Field(min_length=KEY_BYTES_MIN)]

    # Identity providers whose signed tokens are believed: a JSON list (docs/contract.md, section 10).
    issuers: TrustedIssuers = ()
    # The one source that is asked about opaque tokens which are not in our tables: a JSON object with a secret in it.
    introspection: TrustedSource = None

    # The address that the API listens on. A container says 0.0.0.0.
    http_host: str = "127.0.0.1"
    # 0: any free port.
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080

    # Sites whose pages may call the API from a browser (CORS), separated by commas: `https://app.example.com`. None: no
    # page of another site may.
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    # How long a caller waits for the verdict when the request does not say. At most 30, as in `Prefer: wait`.
    answer_within_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    # How long a caller waits until Kafka has acknowledged the press. After that the caller hears that we do not know
    # whether the press was recorded.
    publish_within_seconds: PositiveFloat = 5.0
    # The largest difference between the broker's clock and ours. Beyond it the API is not ready, because what it
    # records would be void or in the future.
    clock_off_seconds_max: PositiveFloat = 10.0
    # A press is void when it reaches the log later than this, because its caller no longer waits.
    expiry_seconds: Annotated[PositiveFloat, COMPARED] = 30.0

    # How many days back a start or a resume may be dated, before any rule of the tenant. An older one is refused (R03).
    backdate_days_max: Annotated[int, Field(ge=1, le=36_600)] = 62

    # Answer errors of dialect B with HTTP 200, for clients that read only the body. 401, 429 and 503 stay.
    zoho_errors_as_200: bool = False

    # Dialect B: how many requests a caller may make on one URI within any 60 seconds. One more locks the caller out.
    # 0: no limit.
    zoho_threshold_per_minute: Annotated[int, Field(ge=0, le=1000)] = 20
    # How long that caller is locked out of that URI: at least the minute in which the requests before the lock count.
    zoho_threshold_lock_seconds: Annotated[int, Field(ge=60, le=86_400)] = 300
    # A count that takes longer is given up, and its request goes on uncounted.
    zoho_threshold_within_seconds: PositiveFloat = 0.5

    # Dialect A: how many requests a second a client may make at each API process. Beyond it: 400, because A has no 429.
    # 0: no limit.
    thebase_requests_per_second: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    # How many it may make at once, after it has made none for a while.
    thebase_requests_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 200

    # Dialect C: how many requests a second a client may make at each API process. Beyond it: 429. 0: no limit.
    native_requests_per_second: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    # How many it may make at once, after it has made none for a while.
    native_requests_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 200

    # How many presses and texts may be sent and not yet acknowledged. Beyond it callers hear 503 at once.
    unacked_records_max: PositiveInt = 10_000
    # The same in bytes.
    unacked_bytes_max: PositiveInt = 32 * 1024 * 1024
    # How many callers may wait for a verdict at one time. Beyond it further callers hear 503 at once.
    waiters_max: PositiveInt = 10_000

    # How many commands of `timer.commands.v1` this process takes at one time. 0: it reads none.
    commands_at_once: Annotated[int, Field(ge=0, le=1000)] = 200
    # APIs of one group share the commands.
    commands_group_id: str = "stint.commands"
    # How long after its last heartbeat a killed API's share moves. The broker accepts 6 s to 30 min.
    session_timeout_ms: PositiveInt = 10_000

    # The largest body of a request.
    max_body_bytes: PositiveInt = 65_536
    # How long a body may take to arrive. A slower one is not read to its end.
    body_within_seconds: PositiveFloat = 5.0
    # How long to wait until ready before opening the port. After that the port opens anyway and `/readyz` answers 503.
    # For balancers that resolve a DNS name and never ask `/readyz`.
    listen_when_ready_within_seconds: NonNegativeFloat = 0.0
    # How long to keep serving after SIGTERM while `/readyz` already answers 503, so that balancers stop sending first.
    drain_seconds: NonNegativeFloat = 0.0
    # How long requests in flight have after the drain to get their answer.
    grace_seconds: Annotated[PositiveInt, COMPARED] = 10

    # Connections to Postgres for reads, opened on demand. Up to 4 more count requests of dialect B.
    postgres_connections_max: PositiveInt = 10
    # A read that takes longer is given up, and its caller hears 503.
    postgres_within_seconds: PositiveFloat = 1.0
    # How many verified tokens are cached, so that Postgres is not asked for each request.
    tokens_max: PositiveInt = 100_000
    # How long a person's token, or the client of a machine's, is used before Postgres is asked again: a revoked one
    # works for this long. At most 60.
    token_fresh_seconds: Annotated[float, Field(gt=0, le=60)] = 60.0

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(origin.strip() for origin in value.split(",") if origin.strip())

    @field_validator("cors_origins")
    @classmethod
    def _as_browsers_send_them(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        # A browser compares letter by letter: another spelling would let no page in, and `*` every page.
        for number, origin in enumerate(origins, start=1):
            match = _ORIGIN.fullmatch(origin)
            if match is None or match.groups() in _OWN_PORTS:
                raise ValueError(
                    f"number {number} is no origin: write it as https://app.example.com, in small letters, "
                    "without a path, a slash at its end, a default port or *"
                )
        return origins

    @field_validator("expiry_seconds")
    @classmethod
    def _outlives_an_ack(cls, expiry: float, info: ValidationInfo) -> float:
        # Otherwise a press could be acknowledged in time and void all the same, while `/readyz` answers 200.
        longest = sum(info.data.get(name, 0) for name in ("publish_within_seconds", "clock_off_seconds_max"))
        if expiry <= longest:
            raise ValueError(f"{expiry:g} is not above PUBLISH_WITHIN_SECONDS plus CLOCK_OFF_SECONDS_MAX, {longest:g}")
        return expiry

    @field_validator("grace_seconds")
    @classmethod
    def _waits_for_acks(cls, grace: int, info: ValidationInfo) -> int:
        # Otherwise an orderly end would cut off a caller whose press Kafka may still acknowledge.
        if grace < (publish := info.data.get("publish_within_seconds", 0)):
            raise ValueError(f"{grace} is below PUBLISH_WITHIN_SECONDS, {publish:g}")
        return grace
