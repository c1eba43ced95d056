"""The policy book: every valid document of every tenant, and what makes a record on `timer.policies.v1` void.

A revision is the offset of its record. A record names the revision that it replaces. If that is not the tenant's
revision in force, the record is void for every reader, so that of two writers that race one wins.

With care: what makes a record void. All releases, with any tzdata, must agree on it for good. So a record is void by
its shape and by what it replaces, and never by a value that a later release may know: such a value is waited for.
"""

import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.events.base import Instant, Model
from shared.events.policies.revisions import Revisions, Setting
from shared.events.policies.terms import Terms, terms_of
from shared.events.policy import LATER, Policy
from shared.events.rules import Rule

NO_REVISION: Final = -1
# How far a writer's clock may be from the brokers' before the document counts from its log time. For good: all
# releases must agree on it.
CLOCKS_APART_MAX: Final = timedelta(seconds=30)
# Of one tenant. A timeline of a thousand documents takes some 60 kB, and a millisecond to make.
_TIMELINES_MAX: Final = 8


class NewerPolicyError(Exception):
    """The record was written for a newer release: go on after the upgrade, and judge nothing by guess."""

    def __init__(self) -> None:
        super().__init__("a policy was written by a newer release, or for newer time zones: run that release")


class PolicyRecord(Model):
    """The value on `timer.policies.v1`; its key is the tenant. `replaces` is None for a tenant's first."""

    replaces: int | None
    set_by: str
    set_at: Instant
    document: Policy


class _Link(BaseModel):
    """The field that decides whether a record is its tenant's next. A later release may add others."""

    replaces: int | None


POLICY_RECORD: Final = TypeAdapter(PolicyRecord)
_LINK: Final = TypeAdapter(_Link)


_EMPTY: Final = Revisions()


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a tenant's documents asked when: `terms[n]` from `begins[n]` on, the first one before too.

    A document comes into force when it was set (`begin_of`), and never before the one that it replaces. So a change
    judges nothing that lies before it.
    """

    begins: tuple[datetime, ...]
    terms: tuple[Terms, ...]
    has_days_off: bool = field(init=False)
    has_daily_cap: bool = field(init=False)
    has_overfull_days: bool = field(init=False)
    # Of each document.
    long_running: tuple[timedelta | None, ...] = field(init=False)
    auto_close: tuple[timedelta | None, ...] = field(init=False)
    daily_caps_us: tuple[int | None, ...] = field(init=False)
    has_deadlines: tuple[bool, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Asked for each running timer at each press, and the same until a document comes.
        found = {
            "has_days_off": any(terms.has_days_off for terms in self.terms),
            "has_daily_cap": any(terms.daily_cap_us is not None for terms in self.terms),
            "has_overfull_days": any(Rule.OVERFULL_DAY in terms.on for terms in self.terms),
            "long_running": tuple(terms.long_running for terms in self.terms),
            "auto_close": tuple(terms.auto_close for terms in self.terms),
            "daily_caps_us": tuple(terms.daily_cap_us for terms in self.terms),
            "has_deadlines": tuple(terms.has_deadlines for terms in self.terms),
        }
        for name, of_all in found.items():
            object.__setattr__(self, name, of_all)

    @property
    def latest(self) -> Terms:
        """What the latest document asks: the one that judges a press."""
        return self.terms[-1]

    def at(self, moment: datetime) -> Terms:
        """Return what the document in force at a moment asks."""
        return self.terms[self.place(moment)]

    def has_deadlines_at(self, moment: datetime) -> bool:
        """Return whether the document in force at a moment makes anything fall due for an interval that runs on."""
        return self.has_deadlines[self.place(moment)]

    def place(self, moment: datetime) -> int:
        """Return which document is in force at a moment. Documents that ask the same are still two."""
        return max(0, bisect_right(self.begins, moment) - 1)

    def pieces(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, Terms]]:
        """Cut [since, until) where another document came into force. Pieces of no length are left out."""
        for place in range(self.place(since), len(self.terms)):
            end = until if place + 1 == len(self.terms) else min(until, self.begins[place + 1])
            if since < end:
                yield since, end, self.terms[place]
                since = end
            if end == until:
                return


def begin_of(set_at: datetime, log_time: datetime) -> datetime:
    """Return when a document comes into force: when it was set, by a clock that is right, else when it was logged.

    `set_at` is by the clock of the machine that set it, such as an operator's laptop. The log time is the same for
    all readers.
    """
    return set_at if abs(set_at - log_time) <= CLOCKS_APART_MAX else log_time


class PolicyBook:
    """Every valid document of every tenant, applied in the order of the topic. The same for every reader."""

    def __init__(self) -> None:
        self.position = NO_REVISION
        self._revisions: dict[str, Revisions] = {}
        self._latest: dict[str, PolicyRecord] = {}
        # Terms that are equal are one object for all tenants: a tenant may set the same ones every night.
        self._terms: dict[Terms, Terms] = {}
        self._timelines: dict[str, dict[int, Timeline]] = {}

    def apply(
        self, offset: int, key: bytes | None, value: bytes | None, log_time: datetime
    ) -> tuple[str, PolicyRecord] | None:
        """Apply one record. Return it with its tenant when it came into force, None when it is void or a repeat.

        `log_time` is the brokers' time of the record. Raises NewerPolicyError when only a newer release, or newer
        zones, can read the document. The position then stays where it was.
        """
        if offset <= self.position:
            return None
        taken = self._read(key, value)
        self.position = offset
        if taken is None or value is None:
            return None
        tenant, record = taken
        revisions = self._revisions.setdefault(tenant, Revisions())
        begins = max([begin_of(record.set_at, log_time), *(before.begins for before in revisions.settings[-1:])])
        setting = Setting(offset, record.replaces, sys.intern(record.set_by), record.set_at, begins)
        terms = terms_of(record.document)
        revisions.add(setting, self._terms.setdefault(terms, terms), value)
        self._latest[tenant] = record
        return tenant, record

    def pass_gap(self, before: int) -> None:
        """Pass the offsets before `before`, which hold no record for readers: control records of transactions."""
        self.position = max(self.position, before - 1)

    def latest_revision(self, tenant: str) -> int | None:
        """Return the tenant's revision in force, or None."""
        revisions = self._revisions.get(tenant)
        return None if revisions is None else revisions.settings[-1].revision

    def in_force(self, tenant: str, policy_rev: int) -> int | None:
        """Return the tenant's latest revision at or below `policy_rev`, or None."""
        revisions = self._revisions.get(tenant)
        count = 0 if revisions is None else revisions.count(policy_rev)
        return None if revisions is None or count == 0 else revisions.settings[count - 1].revision

    def timeline(self, tenant: str, policy_rev: int) -> Timeline:
        """Return the documents of a tenant at or below `policy_rev` by the time at which each came into force."""
        revisions = self._revisions.get(tenant, _EMPTY)
        count, known = revisions.count(policy_rev), self._timelines.setdefault(tenant, {})
        if (timeline := known.get(count)) is None:
            begins = tuple(setting.begins for setting in revisions.settings[:count])
            # Partitions of one backlog may stand on two sides of each of several changes, and take turns.
            if len(known) == _TIMELINES_MAX:
                del known[next(iter(known))]
            timeline = known[count] = Timeline(begins, tuple(revisions.terms[:count]))
        return timeline

    def changed_within(self, after: int, up_to: int) -> list[str]:
        """Return the tenants of whom a document came into force above `after`, at or below `up_to`; sorted."""
        return sorted(
            tenant for tenant, revisions in self._revisions.items() if revisions.count(after) < revisions.count(up_to)
        )

    def latest(self, tenant: str) -> Policy | None:
        """Return the tenant's document in force now, or None: the tenant has no policy yet."""
        record = self._latest.get(tenant)
        return None if record is None else record.document

    def record(self, tenant: str, revision: int) -> PolicyRecord | None:
        """Return the tenant's record that came into force as `revision`, or None: it is void, or another tenant's.

        An older one is read again from its bytes: some milliseconds for a document of thousands of days.
        """
        if revision == self.latest_revision(tenant):
            return self._latest[tenant]
        value = self._revisions.get(tenant, _EMPTY).value(revision)
        return None if value is None else POLICY_RECORD.validate_json(value)

    def history(self, tenant: str, before: int | None, most: int) -> Sequence[Setting]:
        """Return who set the tenant's revisions below `before`, newest first: up to `most` of them."""
        return self._revisions.get(tenant, _EMPTY).newest(before, most)

    def _read(self, key: bytes | None, value: bytes | None) -> tuple[str, PolicyRecord] | None:
        if key is None or value is None:
            return None
        try:
            tenant = key.decode()
            # First, because a record that replaces another revision is void, and need not be waited for.
            if _LINK.validate_json(value).replaces != self.latest_revision(tenant):
                return None
            return tenant, POLICY_RECORD.validate_json(value)
        except UnicodeDecodeError:
            return None
        except ValidationError as error:
            problems = error.errors(include_input=False, include_context=False, include_url=False)
            if all(problem["type"] in LATER for problem in problems):
                raise NewerPolicyError from None
            return None
