"""Policies on their way to their topic, and what became of them (docs/contract.md, section 8).

1. Read up to the topic's end. Without a broker nothing is recorded: 503.
2. What is to be replaced is not in force: refuse, and record nothing. What is in force already is done, and a tenant
   that sets revision after revision has to wait.
3. Send the record, and wait for its ack. A crash leaves a record that may come into force; its caller gets no answer
   and repeats the call, which step 2 answers.
4. Read up to our own record. Another writer's may lie before it: then ours is void for every reader.

Step 2 alone would not do, because Kafka cannot append "only if nothing changed"; it keeps the log free of records that
are void for certain.
"""

import asyncio
import math
from collections.abc import Sequence

import structlog

from services.command_api.desk.commands import Caller
from services.command_api.desk.policies import BecameOfPut, MovedOn, NotSet, Revision, SetTooOften
from services.command_api.submit.sender import Acked, Sender, Unacked, send_and_wait
from shared.events.policies.document import as_written
from shared.events.policies.revisions import Setting
from shared.events.policy import Policy
from shared.events.topics import POLICIES, POLICIES_PARTITION
from shared.kafka.clients import KafkaError
from shared.kafka.policy_reader import PolicyReader
from shared.kafka.policy_writer import outgoing_policy, set_again_at
from shared.process.clock import Now


class SentPolicies:
    """`desk.PolicyLog`, over the API's own reader of the topic and its sender."""

    def __init__(self, *, reader: PolicyReader, sender: Sender, now: Now, within_seconds: float) -> None:
        self._reader = reader
        self._sender = sender
        self._now = now
        self._within_seconds = within_seconds
        self._log = structlog.get_logger()

    @property
    def has_begun(self) -> bool:
        """Whether the policies of the past are read."""
        return self._reader.has_begun

    def revision(self, tenant: str, number: int | None) -> Revision | None:
        """Return a tenant's revision, the one in force for None."""
        book = self._reader.book
        wanted = book.latest_revision(tenant) if number is None else number
        record = None if wanted is None else book.record(tenant, wanted)
        return None if wanted is None or record is None else Revision(wanted, record)

    def history(self, tenant: str, before: int | None, most: int) -> Sequence[Setting]:
        """Return who set up to `most` revisions of a tenant, newest first, those below `before`."""
        return self._reader.book.history(tenant, before, most)

    async def put(self, caller: Caller, document: Policy, replaces: int | None) -> BecameOfPut:
        """Set a tenant's policy in the place of revision `replaces`; takes three times `within_seconds` at most."""
        if not await self._is_read_to_its_end():
            return NotSet(may_be_set=False)
        in_force = self.revision(caller.tenant, None)
        if in_force is not None and _is_in_force(in_force, caller, document, replaces):
            return in_force
        if replaces != (None if in_force is None else in_force.number):
            return MovedOn(None if in_force is None else in_force.number)
        now = self._now()
        if (again_at := set_again_at(self._reader.book, caller.tenant, now)) is not None:
            self._log.warning("policy_set_too_often", tenant=caller.tenant)
            return SetTooOften(math.ceil((again_at - now).total_seconds()))
        read_to = self._reader.book.position
        outgoing = outgoing_policy(caller.tenant, document, replaces=replaces, set_by=caller.client, set_at=now)
        match await send_and_wait(self._sender, POLICIES, POLICIES_PARTITION, outgoing.key, outgoing.value, []):
            # At or below what was read, the ack is of another topic, or has no offset.
            case Acked(offset=offset) if offset > read_to and await self._reader.reach(offset, self._within_seconds):
                return self.revision(caller.tenant, offset) or self._moved_on(caller)
            case Unacked(why=why) if why != "fate_unknown":
                return NotSet(may_be_set=False)
            case _:
                self._log.warning("policy_fate_unknown", tenant=caller.tenant)
                return NotSet(may_be_set=True)

    def _moved_on(self, caller: Caller) -> MovedOn:
        return MovedOn(self._reader.book.latest_revision(caller.tenant))

    async def _is_read_to_its_end(self) -> bool:
        try:
            async with asyncio.timeout(self._within_seconds):
                end = await self._reader.end()
        except (OSError, KafkaError):
            return False
        # A topic that ends before what was read is not the one that was read.
        return end > self._reader.book.position and await self._reader.reach(end - 1, self._within_seconds)


def _is_in_force(in_force: Revision, caller: Caller, document: Policy, replaces: int | None) -> bool:
    """Return whether a call asks for what is there: it repeats what `in_force` came from, or replaces it by itself."""
    record = in_force.record
    same = replaces == in_force.number or (record.replaces, record.set_by) == (replaces, caller.client)
    # As text: a document that spells a default out keeps it when a later release changes the default.
    return same and as_written(record.document) == as_written(document)
