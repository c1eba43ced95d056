"""Policy rows: the policies that came into force, in Postgres for reports on which rules judged a press."""

import asyncio
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

import asyncpg
import structlog

from services.projector.store.queries import query
from shared.events.policies.book import PolicyRecord
from shared.process.backoff import LOGGED_AGAIN_AFTER_SECONDS, Setbacks
from shared.process.logs import loggable

_log = structlog.get_logger()

_WRITTEN_AT_ONCE: Final = 100
_RETRY_AFTER_SECONDS: Final = 1.0
_PASSING_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One record that came into force: its offset, its tenant, its content. The document is packed.

    All of them wait in memory when a projector starts and Postgres is away.
    """

    revision: int
    tenant: str
    replaces: int | None
    set_by: str
    set_at: datetime
    packed: bytes


class PolicyRows:
    """Writes the rows of policies as they come into force. Every projector does; a second write changes nothing."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: deque[PolicyRow] = deque()
        self._more = asyncio.Event()
        self._setbacks = Setbacks("policies_not_kept", _PASSING_SECONDS)
        # Revisions that Postgres has as another policy: the topic was made anew before this process began, or this is
        # the wrong Kafka, or the wrong Postgres.
        self._others: set[int] = set()

    def add(self, revision: int, tenant: str, record: PolicyRecord) -> None:
        """Queue a policy that came into force."""
        # As the tenant wrote it. Members that were left out come from the preset, which a later release may change.
        document = record.document.model_dump_json(by_alias=True, exclude_unset=True)
        packed = zlib.compress(document.encode(), 1)
        self._waiting.append(PolicyRow(revision, tenant, record.replaces, record.set_by, record.set_at, packed))
        self._more.set()

    async def run(self) -> None:
        """Write for ever. Judging does not wait for this, because presses are judged by the book in memory."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOGGED_AGAIN_AFTER_SECONDS):
                    await self._more.wait()
            self._more.clear()
            await self._write_all()
            if self._others:
                _log.error("policies_went_back", other_rows=sorted(self._others))

    async def _write_all(self) -> None:
        while self._waiting:
            batch = list(islice(self._waiting, _WRITTEN_AT_ONCE))
            try:
                await self._keep(batch)
            except Exception as error:  # noqa: BLE001 - Postgres is away; retry
                self._setbacks.failed(error, policies=len(batch))
                await asyncio.sleep(_RETRY_AFTER_SECONDS)
            else:
                self._setbacks.recovered()
                for _ in batch:
                    self._waiting.popleft()

    async def _keep(self, kept: list[PolicyRow]) -> None:
        """Write rows together; if Postgres refuses a value of one, write them singly, and pass that one over."""
        try:
            await self._write(kept)
        except asyncpg.DataError as error:
            if len(kept) > 1:
                for policy in kept:
                    await self._keep([policy])
                return
            _log.error("policy_not_kept", offset=kept[0].revision, error=loggable(error))

    async def _write(self, kept: list[PolicyRow]) -> None:
        others = await self._pool.fetch(
            query("keep_policies"),
            [policy.revision for policy in kept],
            [policy.tenant for policy in kept],
            [policy.replaces for policy in kept],
            [policy.set_by for policy in kept],
            [policy.set_at for policy in kept],
            [zlib.decompress(policy.packed).decode() for policy in kept],
        )
        self._others |= {row["revision"] for row in others}
