"""Policies, as a dialect sets and reads them: one whole document for each revision, in a log that only grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.command_api.desk.commands import Caller
from shared.events.policies.book import PolicyRecord
from shared.events.policies.revisions import Setting
from shared.events.policy import Policy


@dataclass(frozen=True, slots=True)
class Revision:
    """One document that came into force, with who set it, when, and what it replaced."""

    number: int
    record: PolicyRecord


@dataclass(frozen=True, slots=True)
class MovedOn:
    """The revision to be replaced is not in force: `in_force` is, or none yet. The document changes nothing."""

    in_force: int | None


@dataclass(frozen=True, slots=True)
class SetTooOften:
    """The tenant has set as many revisions in 24 hours as it may. Nothing was recorded."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class NotSet:
    """Kafka is away or too slow. `may_be_set`: the record was sent, and may be in force or come into force."""

    may_be_set: bool
    retry_after_seconds: int = 1


BecameOfPut = Revision | MovedOn | SetTooOften | NotSet


class PolicyLog(Protocol):
    """Each tenant's policies, revision by revision. Reading asks memory alone, so it needs no other part."""

    @property
    def has_begun(self) -> bool:
        """Whether the policies of the past are read. Before that, one that is not found may be there all the same."""

    def revision(self, tenant: str, number: int | None) -> Revision | None:
        """Return a tenant's revision, the one in force for None; None: there is no such revision of this tenant."""

    def history(self, tenant: str, before: int | None, most: int) -> Sequence[Setting]:
        """Return who set up to `most` revisions of a tenant, newest first, those below `before`."""

    async def put(self, caller: Caller, document: Policy, replaces: int | None) -> BecameOfPut:
        """Set a tenant's policy in the place of revision `replaces`, None for the first. The document is fit to be set.

        A document that is in force already records nothing and is answered as the first time: when it replaces itself,
        and when its client repeats the PUT.
        """
