"""The cache: timesheets of one partition that were read or folded before. What it lacks is read again.

It holds committed state only, and is forgotten whenever the partition may have had another writer.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from services.projector.domain.entry import LoggedPress
from services.projector.domain.ledger import Ledger, OwnerKey
from services.projector.domain.state import Timesheet
from services.projector.ports import Wanted
from shared.events.ids import slot_of, slot_of_timer
from shared.events.models import TimerPaused, TimerResumed, TimerStarted, TimerStopped

OWNERS_MAX: Final = 20_000
# An owner may have any number of running timers, so the memory of a cache is bounded by these.
TIMERS_MAX: Final = 50_000


class Cache:
    """Sheets by owner, and whose timer is whose; the least recently used owners go first."""

    def __init__(self, owners_max: int = OWNERS_MAX, timers_max: int = TIMERS_MAX) -> None:
        self.sheets: OrderedDict[OwnerKey, Timesheet] = OrderedDict()
        self.owner_of: dict[int, OwnerKey] = {}
        self._owners_max = owners_max
        self._timers_max = timers_max
        # In the order in which they were touched: a set of text would have another in each process.
        self._touched: dict[OwnerKey, None] = {}

    def want(self, presses: Iterable[LoggedPress], kpart: int, wanted: Wanted) -> None:
        """Add to `wanted` what the presses touch and this cache lacks."""
        for press in presses:
            wanted.events.append((kpart, press.envelope.event_id))
            match press.event:
                case TimerStarted() as event:
                    self._want_owner((event.tenant, event.owner), press, wanted)
                    # Whose the id is already, if anybody's: a drawn id may be taken.
                    self._want_timer(press, wanted)
                case TimerPaused() | TimerResumed() | TimerStopped():
                    self._want_timer(press, wanted)
                case event:
                    self._want_owner((event.tenant, event.owner), press, wanted)
            if press.is_backdated:
                self._want_overlap(press, wanted)

    def take(self, sheets: dict[OwnerKey, Timesheet]) -> None:
        """Take in sheets as the store has them, beside what is known already: both are committed, and agree."""
        for owner, sheet in sheets.items():
            before = self.sheets.get(owner)
            self._put(owner, sheet if before is None else before.joined(sheet))

    def absorb(self, ledger: Ledger) -> None:
        """Take in what a batch added, now that it is committed."""
        for owner, sheet in ledger.sheets.items():
            self._put(owner, sheet)

    def trim(self) -> None:
        """After a batch: drop what only rare presses ask about, and the owners who were not seen for longest."""
        for owner in tuple(self._touched):
            self._put(owner, self.sheets[owner].trimmed())
        self._touched.clear()
        while len(self.sheets) > self._owners_max or len(self.owner_of) > self._timers_max:
            _, sheet = self.sheets.popitem(last=False)
            self._forget_timers(sheet)

    def _put(self, owner: OwnerKey, sheet: Timesheet) -> None:
        before = self.sheets.get(owner)
        if before is not None:
            self._forget_timers(before)
        self.sheets[owner] = sheet
        self.sheets.move_to_end(owner)
        self._touched[owner] = None
        self.owner_of.update(dict.fromkeys(sheet.timers, owner))

    def _forget_timers(self, sheet: Timesheet) -> None:
        for timer_id in sheet.timers:
            self.owner_of.pop(timer_id, None)

    def _want_timer(self, press: LoggedPress, wanted: Wanted) -> None:
        timer_id = press.envelope.subject
        if timer_id is None:
            return
        owner = self.owner_of.get(timer_id)
        if owner is not None:
            self._want_owner(owner, press, wanted)
            return
        key, since = (slot_of_timer(timer_id), timer_id), _since(press)
        wanted.timers[key] = min(wanted.timers.get(key, since), since)

    def _want_owner(self, owner: OwnerKey, press: LoggedPress, wanted: Wanted) -> None:
        sheet, since = self.sheets.get(owner), _since(press)
        # What a backdated press overlaps comes with its owner's sheet, so that is read in any case.
        if sheet is None or press.is_backdated or not sheet.knows_since(since):
            key = (slot_of(*owner), *owner)
            wanted.owners[key] = min(wanted.owners.get(key, since), since)

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
    """Return from when on a press asks about intervals that are closed: those that it may overlap."""
    opens = isinstance(press.event, TimerStarted | TimerResumed)
    return press.moment if opens and not press.is_backdated else press.log_time
