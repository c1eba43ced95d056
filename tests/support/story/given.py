"""Given, when, then: presses told in a line each, folded by the product's fold, and the outcome of the last.

    given(started("desk", at="09:00")).when(paused("desk", at="09:25")).then(accepted())

The API hears a press `at`, and the log has it in the same millisecond unless `logged` says otherwise. `asked` is the
caller's own time. Times without a day are on MONDAY, in UTC. Two things are checked for each press of each story: its
outcome reads back as it was written, and a press that is not accepted changes nothing.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal, TypedDict, Unpack
from uuid import UUID

from services.projector.domain.entry import LoggedPress
from services.projector.domain.fold import Folded, Repeated, Voided, fold_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.evolve import with_changes
from services.projector.domain.sheet.ledger import Known, Ledger, OwnerKey
from services.projector.domain.sheet.state import OpenInterval, Timesheet
from shared.events.codec import Press
from shared.events.durations import US_PER_MINUTE, microseconds
from shared.events.envelope import Envelope
from shared.events.idempotency import digest_of, keyed_event_id
from shared.events.ids import ID_EPOCH, make_short, slot_of
from shared.events.models import Actor, AnyEvent, DeadlineReached, TimerPaused, TimerResumed, TimerStarted, TimerStopped
from shared.events.outcome import Change, Closed, Finding, Opened, Outcome, TimerAfter, read_outcome, write_outcome
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import Policy, Preset
from shared.events.rules import Rule

MONDAY: Final = datetime(2026, 3, 2, tzinfo=UTC)
MACHINE: Final = Actor(client="crm", role="machine")
ADMIN: Final = Actor(client="console", person="avi", role="admin")
DANA: Final = Actor(client="phone", person="dana", role="person")
NOAM: Final = Actor(client="phone", person="noam", role="person")
JERUSALEM: Final = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")

_TICK: Final = timedelta(milliseconds=1)


class How(TypedDict, total=False):
    """What else a press may say. What is left out is ordinary."""

    owner: str
    tenant: str
    by: Actor
    asked: str
    logged: str
    key: str
    digest: str
    expires: str
    policy_rev: int


class HowStarted(How, total=False):
    """What else a start may say."""

    account_id: str
    job_id: str
    billable: bool
    work_date: date
    zone_assumed: bool
    reference: str


class HowPaused(How, total=False):
    """What else a pause may say."""

    reason: str


@dataclass(frozen=True)
class Told:
    """One press before it is on a log. Without a key it repeats no other press."""

    event: AnyEvent
    timer: int | None
    recorded_at: datetime
    log_time: datetime
    key: str | None = None
    expires_at: datetime | None = None
    policy_rev: int = 1

    def logged(self, offset: int) -> LoggedPress:
        """Return the press at its place on the log."""
        envelope = Envelope(
            event_id=self._event_id(offset),
            type=self.event.type,
            recorded_at=self.recorded_at,
            policy_rev=self.policy_rev,
            subject=self.timer,
            expires_at=self.expires_at,
        )
        return LoggedPress(offset, self.log_time, Press(envelope, self.event))

    def _event_id(self, offset: int) -> UUID:
        if self.key is None:
            return UUID(int=offset + 1)
        owner = getattr(self.event, "owner", None)
        kind, target = ("timer", str(self.timer)) if owner is None else ("owner", owner)
        return keyed_event_id(self.event.tenant, self.event.actor.client, kind, target, self.key)


def moment(text: str) -> datetime:
    """Return the moment that "09:00", "09:00:00.500" (on MONDAY) or a whole date and time, in UTC, means."""
    if "T" in text:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    return datetime.combine(MONDAY, time.fromisoformat(text), UTC)


def timer_id(timer: str, owner: str = "dana", tenant: str = "acme") -> int:
    """Return the id of an owner's timer that a story calls `timer`."""
    return make_short((MONDAY - ID_EPOCH) // _TICK, slot_of(tenant, owner), zlib.crc32(timer.encode()) % 1024)


def started(timer: str, at: str, **how: Unpack[HowStarted]) -> Told:
    """Tell of a start."""
    said = {
        name: how[name]
        for name in ("account_id", "job_id", "billable", "work_date", "zone_assumed", "reference")
        if name in how
    }
    return _told(TimerStarted, timer, at, how, owner=how.get("owner", "dana"), **said)


def paused(timer: str, at: str, **how: Unpack[HowPaused]) -> Told:
    """Tell of a pause."""
    return _told(TimerPaused, timer, at, how, reason=how.get("reason"))


def resumed(timer: str, at: str, **how: Unpack[How]) -> Told:
    """Tell of a resume."""
    return _told(TimerResumed, timer, at, how)


def stopped(timer: str, at: str, **how: Unpack[How]) -> Told:
    """Tell of a stop."""
    return _told(TimerStopped, timer, at, how)


def fact(event: type[AnyEvent], at: str, *, tenant: str = "acme", owner: str = "dana", **said: Any) -> Told:  # noqa: ANN401 - each fact has its own fields
    """Tell of something that became known about an owner, or of a deadline."""
    said = {"tenant": tenant, "owner": owner, "actor": MACHINE, "dialect": "native", "digest": "0" * 64} | said
    return Told(event.model_validate(said), None, moment(at), _in_ms(moment(at)))


def tick(at: str) -> Told:
    """Tell of a look at the owner: a deadline that was reached."""
    return fact(DeadlineReached, at)


def _told(event: type[AnyEvent], timer: str, at: str, how: How, **said: Any) -> Told:  # noqa: ANN401 - the event's own fields
    owner, tenant = how.get("owner", "dana"), how.get("tenant", "acme")
    id_ = timer_id(timer, owner, tenant)
    asked, expires = how.get("asked"), how.get("expires")
    body = {
        "tenant": tenant,
        "actor": how.get("by", MACHINE),
        "dialect": "native",
        "digest": digest_of(event.type, how.get("digest", str(id_)), {}),
        "asked_at": None if asked is None else moment(asked),
    }
    return Told(
        event=event.model_validate(body | said),
        timer=id_,
        recorded_at=moment(at),
        log_time=_in_ms(moment(how.get("logged", at))),
        key=how.get("key"),
        expires_at=None if expires is None else moment(expires),
        policy_rev=how.get("policy_rev", 1),
    )


def _in_ms(at: datetime) -> datetime:
    """Return the moment as a broker's clock shows it: in whole milliseconds."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass(frozen=True)
class Came:
    """The outcome of a press, as its caller hears it."""

    of: Literal["kept", "repeated", "void"]
    verdict: str
    rule: str | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def accepted(*flags: str, findings: Iterable[Finding] = ()) -> Came:
    """Expect that the press is accepted."""
    return Came("kept", "accepted", flags=flags, findings=tuple(findings))


def refused(rule: Rule, *findings: Finding, reason: str | None = None) -> Came:
    """Expect that the press is recorded and refused, and changes nothing."""
    return Came("kept", "refused", rule.value, reason or rule.reason, findings=findings)


def void(rule: Rule | None) -> Came:
    """Expect that the press is answered, and no outcome is kept."""
    return Came("void", "void", rule and rule.value, rule and rule.reason)


def again(came: Came) -> Came:
    """Expect the answer that was given before."""
    return replace(came, of="repeated")


def found(rule: Rule, timer: str, from_: str, to: str | None = None, *, refused: bool = False) -> Finding:
    """Return a finding about one of dana's timers."""
    begin, end = moment(from_), None if to is None else moment(to)
    amount = None if end is None else microseconds(begin, end)
    return Finding(timer_id=timer_id(timer), rule=rule.value, from_=begin, to=end, amount_us=amount, refused=refused)


def book_of(*policies: Policy, tenants: Sequence[str] = ("acme", "other")) -> PolicyBook:
    """Return the book in which the revisions of the first policy are 0 and 1, of the next 2 and 3, and so on."""
    book = PolicyBook()
    for policy in policies:
        for tenant in tenants:
            replaces = book.latest_revision(tenant)
            record = PolicyRecord(replaces=replaces, set_by="avi", set_at=MONDAY, document=policy)
            book.apply(book.position + 1, tenant.encode(), record.model_dump_json(by_alias=True).encode(), MONDAY)
    return book


def new_ledger(kpart: int = 0, partitions: int = 1) -> Ledger:
    """Return the ledger of a partition of which nothing is known."""
    return Ledger(kpart, partitions, Known({}, {}, {}, -1))


@dataclass
class Story:
    """Presses of a log with one partition, in order, and the outcome of each."""

    book: PolicyBook = field(default_factory=lambda: book_of(JERUSALEM))
    ledger: Ledger = field(default_factory=new_ledger)
    answers: list[Folded] = field(default_factory=list)
    asked: int = 0

    def when(self, *told: Told) -> "Story":
        """Fold more presses. `then` is about these."""
        self.asked = len(told)
        for press in told:
            self.answers.append(self._fold(press))
        return self

    def then(self, *expected: Came) -> "Story":
        """Compare the outcomes of the presses of the last `when` with what was expected."""
        assert tuple(came_of(folded) for folded in self.answers[-self.asked :]) == expected
        return self

    def changing(self, interval: Opened | Closed | None) -> "Story":
        """Compare what the last press changed: its own timer alone, and which of its intervals began or ended."""
        said = self.outcome
        assert said.subject is not None
        assert said.timer is not None
        opened = interval if isinstance(interval, Opened) else None
        closed = interval if isinstance(interval, Closed) else None
        change = Change(timer=said.subject, by="press", after=said.timer, opened=opened, closed=closed)
        assert said.changed == (change,)
        return self

    def changing_nothing(self) -> "Story":
        """Check that the last press changed nothing."""
        assert self.outcome.changed == ()
        return self

    @property
    def outcome(self) -> Outcome:
        """The outcome of the last press, also when it is void or repeated."""
        return read_outcome(self.answers[-1].body)

    @property
    def outcomes(self) -> list[Outcome]:
        """Every outcome that was kept."""
        return [kept.outcome for kept in self.kept]

    @property
    def kept(self) -> list[Kept]:
        """The same, with their bytes."""
        return [folded for folded in self.answers if isinstance(folded, Kept)]

    def sheet(self, owner: str = "dana", tenant: str = "acme") -> Timesheet:
        """Return an owner's sheet as it stands."""
        return self.ledger.sheet_of((tenant, owner))

    def timer(self, timer: str, owner: str = "dana", tenant: str = "acme") -> TimerAfter:
        """Return one of an owner's timers as it stands."""
        return self.sheet(owner, tenant).timers[timer_id(timer, owner, tenant)].after

    def running(self, timer: str) -> OpenInterval | None:
        """Return the open interval of one of dana's timers."""
        return self.sheet().timers[timer_id(timer)].open

    def minutes(self, timer: str) -> float:
        """Return how long one of dana's timers was worked on, in closed intervals."""
        return self.timer(timer).total_us / US_PER_MINUTE

    def _fold(self, told: Told) -> Folded:
        press = told.logged(len(self.answers))
        sheets_before = dict(self.ledger.sheets)
        folded = fold_entry(self.ledger, press, self.book)
        said = read_outcome(folded.body)
        assert write_outcome(said) == folded.body
        if isinstance(folded, Kept):
            assert folded.outcome == said
        if said.verdict != "accepted" or not isinstance(folded, Kept):
            _changed_nothing(said, sheets_before, self.ledger.sheets)
        return folded


def given(*told: Told, policy: Policy = JERUSALEM) -> Story:
    """Begin a story with the presses that came before the one it is about."""
    return Story(book_of(policy)).when(*told)


def came_of(folded: Folded) -> Came:
    """Return the outcome of a press as `then` compares it."""
    said = read_outcome(folded.body)
    of: dict[type, Literal["kept", "repeated", "void"]] = {Kept: "kept", Repeated: "repeated", Voided: "void"}
    return Came(of[type(folded)], said.verdict, said.rule, said.reason, said.flags, said.findings)


def _changed_nothing(said: Outcome, before: dict[OwnerKey, Timesheet], after: dict[OwnerKey, Timesheet]) -> None:
    # What fell due before a refused press stays; the press itself leaves nothing.
    assert all(change.by == "settle" for change in said.changed) or said.verdict == "accepted"
    assert said.fact is None or said.verdict == "accepted"
    for owner, sheet in after.items():
        ours = owner == (said.tenant, said.owner) and said.verdict == "refused"
        settled = (said.changed, said.findings) if ours else ((), ())
        assert sheet == with_changes(before.get(owner, Timesheet(*owner)), *settled, said.log_time)
