"""The cache: timesheets of one partition that were read or folded before. What is not in the cache is read again.

The cache holds committed state only. It is dropped whenever the partition may have had another writer.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.projector.domain.due.deadlines import looked_since
from services.projector.domain.entry import LoggedPress
from services.projector.domain.sheet.ledger import Ledger, OwnerKey
from services.projector.domain.sheet.state import DAYS_BEFORE, Timesheet
from services.projector.ports import Wanted
from shared.events.base import is_writable
from shared.events.ids import slot_of, slot_of_timer
from shared.events.models import TimerPaused, TimerResumed, TimerStarted, TimerStopped

# Of all partitions of a projector together, because it may hold every one: some 300 MB.
OWNERS_MAX: Final = 120_000
# An owner may have any number of running timers, so memory is bounded by timers too.
TIMERS_MAX: Final = 200_000
# Of each owner, jobs on which no timer runs. An owner starts the next timer on one of a few.
JOBS_MAX: Final = 8


@dataclass(slots=True)
class Bounds:
    """What the caches of a projector hold together, in even shares. `caches`: how many partitions are held now."""

    owners: int = OWNERS_MAX
    timers: int = TIMERS_MAX
    caches: int = 1


class Cache:
    """Sheets by owner, and the owner of each timer. The least recently used owners are dropped first."""

    def __init__(self, bounds: Bounds, *, jobs_max: int = JOBS_MAX) -> None:
        self.sheets: OrderedDict[OwnerKey, Timesheet] = OrderedDict()
        self.owner_of: dict[int, OwnerKey] = {}
        self._bounds = bounds
        self._jobs_max = jobs_max
        # A dict keeps the order of reading; a set of text has another order in each process.
        self._untrimmed: dict[OwnerKey, None] = {}

    def want(self, presses: Iterable[LoggedPress], kpart: int, wanted: Wanted) -> None:
        """Add to `wanted` what the presses touch and this cache lacks."""
        for press in presses:
            wanted.events.append((kpart, press.envelope.event_id))
            wanted.days_since = min(wanted.days_since, _first_day(press))
            match press.event:
                case TimerStarted() as event:
                    self._want_owner((event.tenant, event.owner), press, wanted, event.job_id)
                    # A drawn id may be taken already.
                    self._want_timer(press, wanted, drawn=True)
                case TimerPaused() | TimerResumed() | TimerStopped():
                    self._want_timer(press, wanted)
                case event:
                    self._want_owner((event.tenant, event.owner), press, wanted)
            if press.is_backdated:
                self._want_overlap(press, wanted)

    def take(self, sheets: dict[OwnerKey, Timesheet]) -> None:
        """Add sheets that the store returned to what is cached. Both are committed state, so they agree."""
        for owner, sheet in sheets.items():
            before = self.sheets.get(owner)
            self._put(owner, sheet if before is None else before.joined(sheet))
            self._untrimmed[owner] = None

    def absorb(self, ledger: Ledger) -> None:
        """Add what a batch changed, after its commit, without what presses seldom need."""
        for owner, sheet in ledger.sheets.items():
            self._put(owner, sheet.trimmed(self._jobs_max))
            self._untrimmed.pop(owner, None)

    def trim(self) -> None:
        """After a batch: trim what it read and left as it was, then drop the least recently used above our share."""
        for owner in self._untrimmed:
            self._put(owner, self.sheets[owner].trimmed(self._jobs_max))
        self._untrimmed.clear()
        owners_max, timers_max = self._bounds.owners // self._bounds.caches, self._bounds.timers // self._bounds.caches
        while len(self.sheets) > owners_max or len(self.owner_of) > timers_max:
            _, sheet = self.sheets.popitem(last=False)
            self._forget_timers(sheet.timers)

    def _put(self, owner: OwnerKey, sheet: Timesheet) -> None:
        before = self.sheets.get(owner)
        known = before.timers.keys() if before is not None else frozenset[int]()
        self.sheets[owner] = sheet
        self.sheets.move_to_end(owner)
        # An owner may have hundreds of timers, of which a press changes one.
        self._forget_timers(known - sheet.timers.keys())
        self.owner_of.update(dict.fromkeys(sheet.timers.keys() - known, owner))

    def _forget_timers(self, timer_ids: Iterable[int]) -> None:
        for timer_id in timer_ids:
            self.owner_of.pop(timer_id, None)

    def _want_timer(self, press: LoggedPress, wanted: Wanted, *, drawn: bool = False) -> None:
        timer_id = press.envelope.subject
        if timer_id is None:
            return
        owner = self.owner_of.get(timer_id)
        if owner is not None:
            self._want_owner(owner, press, wanted)
            return
        key, since = (slot_of_timer(timer_id), timer_id), _since(press)
        wanted.timers[key] = min(wanted.timers.get(key, since), since)
        if drawn:
            wanted.drawn.add(key)

    def _want_owner(self, owner: OwnerKey, press: LoggedPress, wanted: Wanted, job_id: str | None = None) -> None:
        sheet, since = self.sheets.get(owner), _since(press)
        if job_id is not None and not is_writable(job_id):
            job_id = None  # Postgres keeps no such text, so nothing is known of the job
        # The overlaps of a backdated press are read together with its owner's sheet, so read the sheet in any case.
        known = sheet is not None and sheet.knows_since(since) and sheet.knows_days_since(_first_day(press))
        knows_job = job_id is None or (sheet is not None and sheet.knows_job(job_id))
        if not known or not knows_job or press.is_backdated:
            key = (slot_of(*owner), *owner)
            wanted.owners[key] = min(wanted.owners.get(key, since), since)
            if job_id is not None:
                wanted.jobs[*key, job_id] = None

    def _want_overlap(self, press: LoggedPress, wanted: Wanted) -> None:
        timer_id = press.envelope.subject
        if timer_id is None:
            return
        match press.event:
            case TimerStarted() as event:
                wanted.overlaps.append(
                    (slot_of(event.tenant, event.owner), event.tenant, event.owner, timer_id, press.moment)
                )
            case TimerResumed():
                wanted.overlaps.append((slot_of_timer(timer_id), None, None, timer_id, press.moment))
            case _:
                pass


def _since(press: LoggedPress) -> datetime:
    """Return the moment since which closed intervals matter to a press: it may overlap those that end later.

    It may also move crossings, and where they lie depends on these intervals.
    """
    match press.event:
        case TimerStarted() | TimerPaused() | TimerResumed() | TimerStopped():
            return looked_since(press.moment, press.log_time)
        case _:
            return press.log_time


def _first_day(press: LoggedPress) -> date:
    """Return the first local day that may matter to a press, in any zone."""
    return press.moment.date() - DAYS_BEFORE if press.moment.date() - date.min > DAYS_BEFORE else date.min
