"""The partition check: whether the topics have as many partitions as this deployment was made with (P, for life).

Another number would send an owner's presses to the wrong partition.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from services.command_api.desk.rows import ReadsAwayError
from services.command_api.store.reads import PostgresReads
from shared.events.topics import EVENTS, TEXTS
from shared.process.backoff import Setbacks
from shared.process.logs import loggable

ASK_AGAIN_SECONDS: Final = 1.0
LOOK_AGAIN_SECONDS: Final = 60.0
# Postgres has restarted by then, or another server has taken its place.
AWAY_SECONDS: Final = 30.0


class PartitionCheck:
    """Compares topics and Postgres. Until Postgres answers, the topics are trusted."""

    def __init__(self, partitions: Mapping[str, int], reads: PostgresReads) -> None:
        self._partitions = partitions
        self._reads = reads
        self._agree = True
        self._agreement_logged = False
        self._log = structlog.get_logger()

    def agree(self) -> bool:
        """Return whether nothing contradicts the topics."""
        return self._agree and self._partitions.get(EVENTS) == self._partitions.get(TEXTS)

    async def run(self) -> None:
        """Ask Postgres for ever: often until the numbers agree, then seldom, because a foreign dump may be restored."""
        unasked, away = Setbacks("partitions_unasked"), Setbacks("postgres_away", AWAY_SECONDS)
        while True:
            try:
                deployment = await self._reads.partitions()
            except ReadsAwayError as error:
                deployment = None
                away.failed(error, why=loggable(error.__cause__ or error))
            except Exception as error:  # noqa: BLE001 - no tables yet, or no right to read them: both can be repaired
                deployment = None
                away.recovered()
                unasked.failed(error)
            else:
                away.recovered()
                unasked.recovered()
            agreed = self._compare(deployment)
            await asyncio.sleep(LOOK_AGAIN_SECONDS if agreed else ASK_AGAIN_SECONDS)

    def _compare(self, deployment: int | None) -> bool:
        topic = self._partitions.get(EVENTS)
        if topic is None or deployment is None:
            return False  # keep the last answer
        self._agree = topic == deployment
        if not self._agree:
            self._log.error("partitions_disagree", topic=topic, deployment=deployment)
        elif not self._agreement_logged:
            self._log.info("partitions_agree", partitions=topic)
        self._agreement_logged = self._agree
        return self._agree
