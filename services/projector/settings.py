"""Settings of the projector, read once, in `app`, from PROJECTOR_… variables.

Addresses and secrets have no default: a forgotten one fails at start, by name. So does a limit that contradicts
another one; docs/operations.md ("Limits that depend on each other") says why.
"""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import COMPARED, KafkaSettings, PostgresSettings


class Settings(KafkaSettings, PostgresSettings):
    """Read once, in `app`. Everywhere else receives values, never this object."""

    model_config = SettingsConfigDict(env_prefix="PROJECTOR_", frozen=True)

    # The address of the health endpoints. A container says 0.0.0.0.
    http_host: str = "127.0.0.1"
    # 0: any free port.
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8081

    # Projectors of one group share the partitions. Another group with another database folds all of them once more.
    group_id: str = "stint.projector"
    # The same for texts.
    texts_group_id: str = "stint.texts"
    # How long after its last heartbeat a killed projector's partitions move. The broker accepts 6 s to 30 min.
    session_timeout_ms: PositiveInt = 10_000

    # How long a transaction may last. A frozen projector holds its checkpoint rows no longer than this.
    transaction_timeout_ms: PositiveInt = 10_000
    # The same for a projector that froze between two statements of a transaction.
    idle_in_transaction_timeout_ms: Annotated[PositiveInt, COMPARED] = 5_000
    # How long to wait for a row that another projector holds. After that the partition is taken up anew.
    lock_timeout_ms: Annotated[PositiveInt, COMPARED] = 5_000
    # Connections to Postgres: the loop, texts, their erasure, policies, the deadline clock with two, and one spare.
    postgres_connections_max: PositiveInt = 7
    # How long to wait for a statement. A commit that takes longer may or may not have happened: its partitions are
    # taken up anew.
    postgres_within_seconds: Annotated[PositiveInt, COMPARED] = 15

    # Processes beside this one that catch up a database which is far behind, such as an empty one. They end when
    # that is done. Each has two connections to Postgres, and takes some 150 MB meanwhile. Another process, of some
    # 20 MB, makes them, and sleeps otherwise. 0: none.
    catch_up_processes: NonNegativeInt = 2

    # How long the batch in hand has after SIGTERM, and then the acknowledgements of its outcomes.
    grace_seconds: PositiveInt = 10

    @field_validator("idle_in_transaction_timeout_ms", "lock_timeout_ms")
    @classmethod
    def _within_the_transaction(cls, timeout_ms: int, info: ValidationInfo) -> int:
        # Postgres would end the transaction first, so the value would have no effect.
        if timeout_ms > (whole_ms := info.data.get("transaction_timeout_ms", timeout_ms)):
            raise ValueError(f"{timeout_ms} is above TRANSACTION_TIMEOUT_MS, {whole_ms}")
        return timeout_ms

    @field_validator("postgres_within_seconds")
    @classmethod
    def _outlasts_the_transaction(cls, seconds: int, info: ValidationInfo) -> int:
        # The server must give up first: its refusal says that nothing was committed, our own timeout does not.
        if seconds * 1000 <= (whole_ms := info.data.get("transaction_timeout_ms", 0)):
            raise ValueError(f"{seconds} s is not above TRANSACTION_TIMEOUT_MS, {whole_ms}")
        return seconds
