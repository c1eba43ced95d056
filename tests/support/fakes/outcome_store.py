"""A store that remembers only the bytes of committed outcomes, and reads all of them again for each question.

Where it differs from Postgres: it has no tables, locks, transactions or constraints, and it prunes nothing. A commit is
fenced, then written whole. It is for tests in which only the fold is on trial.
It shares no code with `evolve` nor with the tables: it reads timers from JSON. Like a database, it promises no order
of rows.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.jobs import Job
from services.projector.domain.sheet.ledger import KnownOutcome, OwnerKey
from services.projector.domain.sheet.state import DAYS_BEFORE, ClosedInterval, Timesheet
from services.projector.ports import NO_DAY, Advance, Checkpoint, FencedError, Found, KnownError, ToPublish, Wanted
from shared.events.outcome import State, read_outcome


@dataclass
class OutcomeStore:
    """Outcomes by partition, as they were written."""

    checkpoints: dict[int, Checkpoint] = field(default_factory=dict)
    bodies: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    saved: int = 0

    async def checkpoint(self, kpart: int) -> Checkpoint:
        """Return where a partition stands."""
        return self.checkpoints.get(kpart, Checkpoint(kpart))

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Take all of it, or raise FencedError or KnownError."""
        for advance in advances:
            if (await self.checkpoint(advance.to.kpart)).next_offset != advance.read_at:
                raise FencedError
        for advance in advances:
            if advance.unread is not None and self._knows_any_of(advance.unread):
                raise KnownError
        for advance in advances:
            self.checkpoints[advance.to.kpart] = advance.to
            self.bodies[advance.to.kpart] += [written.body for written in advance.outcomes]

    async def read(self, wanted: Wanted) -> Found:
        """Return what is known of what a batch touches."""
        since: dict[OwnerKey, datetime] = {}
        for (_, tenant, owner), moment in wanted.owners.items():
            since[tenant, owner] = min(moment, since.get((tenant, owner), moment))
        named = {timer_id for _, timer_id in wanted.timers}
        for (_, timer_id), moment in wanted.timers.items():
            for said in self._said():
                if any(int(change["timer"]) == timer_id for change in said["changed"]):
                    key = said["tenant"], said["owner"]
                    since[key] = min(moment, since.get(key, moment))
        sheets = {
            key: self._of_jobs(self.sheet(key, named, moment, wanted.days_since), wanted)
            for key, moment in since.items()
        }
        for key, overlap in self._overlaps(wanted):
            # It may be one that ended lately enough to be read anyway.
            sheets[key] = replace(sheets[key], closed=tuple(dict.fromkeys((*sheets[key].closed, overlap))))
        return Found(sheets, self._verdicts(wanted))

    async def unpublished(self, kpart: int, published: int, limit: int) -> Sequence[ToPublish]:
        """Return committed outcomes of records from `published` on, in order."""
        waiting = [body for body in self.bodies[kpart] if json.loads(body)["source_offset"] >= published]
        return [_to_publish(json.loads(body), body) for body in waiting[:limit]]

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        """Save how far outcomes are published. Return for each partition whether it stands where `ats` says."""
        self.saved += 1
        stands: dict[int, bool] = {}
        for at in ats:
            before = await self.checkpoint(at.kpart)
            if stands.setdefault(at.kpart, before.next_offset == at.next_offset):
                self.checkpoints[at.kpart] = replace(before, published=at.published, outcomes_next=at.outcomes_next)
        return stands

    async def prune(self, kpart: int) -> bool:
        """Keep everything."""
        del kpart
        return False

    def sheet(
        self,
        key: OwnerKey,
        named: set[int] | None = None,
        since: datetime | None = None,
        days_since: date | None = None,
    ) -> Timesheet:
        """Return an owner's sheet, or of it the timers `named`, intervals that end after `since`, and newer days."""
        whole = Timesheet(*key)
        for body in (body for kpart in sorted(self.bodies) for body in self.bodies[kpart]):
            outcome = read_outcome(body)
            if (outcome.tenant, outcome.owner) == key:
                whole = evolve(whole, outcome)
        if since is None:
            return whole
        timers = {
            id_: timer
            for id_, timer in whole.timers.items()
            if named is None
            or id_ in named
            or timer.state is State.RUNNING
            or (timer.ended is not None and timer.ended.at > since)
        }
        last = (timer.ended.interval if timer.ended is not None else timer.open for timer in timers.values())
        starts = [interval.start.date() - DAYS_BEFORE for interval in last if interval is not None]
        first = min([days_since or NO_DAY, *starts])
        return replace(
            whole,
            timers=timers,
            closed=tuple(interval for interval in whole.closed if interval.end > since),
            closed_since=since,
            days={day: worked for day, worked in whole.days.items() if day >= first},
            leave={day: leave for day, leave in whole.leave.items() if day >= first},
            attendance={about: window for about, window in whole.attendance.items() if window.on >= first},
            days_since=first,
        )

    @staticmethod
    def _of_jobs(sheet: Timesheet, wanted: Wanted) -> Timesheet:
        """Return of a sheet's jobs those that are wanted, and those of its timers."""
        jobs = {job_id for _, *whose, job_id in wanted.jobs if whose == [sheet.tenant, sheet.owner]}
        jobs |= {timer.after.job_id for timer in sheet.timers.values() if timer.after.job_id is not None}
        return replace(sheet, jobs={job_id: sheet.jobs.get(job_id, Job()) for job_id in jobs}, all_jobs=False)

    def _overlaps(self, wanted: Wanted) -> Iterator[tuple[OwnerKey, ClosedInterval]]:
        """Yield, for each press of long ago, the first interval that it overlaps."""
        for _, tenant, owner, timer_id, moment in wanted.overlaps:
            key = (tenant, owner) if tenant is not None and owner is not None else self._owner_of(timer_id)
            if key is None:
                continue
            sheet = self.sheet(key)
            pressed = sheet.timers.get(timer_id)
            at = moment if pressed is None else max(moment, pressed.last_at)
            others = [i for i in sheet.closed if i.timer_id != timer_id and i.end > max(at, i.start)]
            if others:
                yield key, min(others, key=lambda interval: max(interval.start, at))

    def _owner_of(self, timer_id: int) -> OwnerKey | None:
        for said in self._said():
            if any(int(change["timer"]) == timer_id for change in said["changed"]):
                return said["tenant"], said["owner"]
        return None

    def _knows_any_of(self, news: Wanted) -> bool:
        drawn = {timer_id for _, timer_id in news.drawn}
        changes = (change for said in self._said() for change in said["changed"])
        return bool(self._verdicts(news)) or any(int(change["timer"]) in drawn for change in changes)

    def _said(self) -> Iterator[dict[str, Any]]:
        for kpart in sorted(self.bodies):
            yield from map(json.loads, self.bodies[kpart])

    def _verdicts(self, wanted: Wanted) -> dict[tuple[int, UUID], KnownOutcome]:
        verdicts: dict[tuple[int, UUID], KnownOutcome] = {}
        for kpart, event_id in wanted.events:
            for body in self.bodies[kpart]:
                said = json.loads(body)
                if said["event_id"] == str(event_id):
                    log_time = datetime.fromisoformat(said["log_time"])
                    verdicts[kpart, event_id] = KnownOutcome(said["digest"], log_time, body)
        return verdicts


def _to_publish(said: dict[str, Any], body: bytes) -> ToPublish:
    whose = [name for name in (said["tenant"], said["owner"]) if name is not None]
    return ToPublish(said["source_offset"], "/".join(whose).encode() if whose else None, body)
