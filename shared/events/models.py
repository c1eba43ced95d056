"""Events: the body of each record on `timer.events.v1` (docs/contract.md, section 7). Each is a fact."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, TypeAdapter

from .base import Day, Digest, Instant, Model, OwnerId, PauseReason, Reference, TenantName, TimerReference
from .value import value

Role = Literal["machine", "person", "admin", "system"]


@value(kw_only=True)
class ToldActor:
    """The caller of a press, as an outcome tells it: `role` may be a word of a later release.

    `client` is the API client or, for our own clocks, "stint"; `person` is an owner's id.
    """

    client: str
    person: str | None = None
    role: str


class Actor(Model):
    """The caller of a press, as an event tells it: every reader knows the role."""

    client: str
    person: str | None = None
    role: Role

    @property
    def told(self) -> ToldActor:
        """The same for an outcome."""
        return ToldActor(client=self.client, person=self.person, role=self.role)


class Work(Model):
    """What a timer is about. The ids are the caller's own; `billable` is true where a dialect has no such field."""

    account_id: Reference | None = None
    job_id: Reference | None = None
    project_id: Reference | None = None
    billable: bool = True
    work_date: Day | None = None


class Event(Model):
    """What every event says. `asked_at` is the caller's own time; None: the moment at which the API read the press."""

    # Spelled out with its version: a class may be renamed, a log may not. It is in `ce_type`, not in the body.
    type: ClassVar[str]
    # Whether an interval begins with it.
    opens: ClassVar[bool] = False

    tenant: TenantName
    actor: Actor
    dialect: str
    digest: Digest
    asked_at: Instant | None = None


class TimerStarted(Work, Event):
    """Start was pressed. The new timer's id is `ce_subject`, drawn by the API in the owner's slot.

    `reference` is the caller's own id of the timer: any characters but control characters, and no free text.
    """

    type: ClassVar[str] = "timer.started.v1"
    opens: ClassVar[bool] = True

    owner: OwnerId
    zone_assumed: bool = False
    reference: TimerReference | None = None


class TimerPaused(Event):
    """Pause was pressed on the timer `ce_subject`.

    `reason` is the caller's code for why. An outcome has it as `closed.reason`, on the interval that the pause ended.
    """

    type: ClassVar[str] = "timer.paused.v1"

    reason: PauseReason | None = None


class TimerResumed(Event):
    """Resume was pressed on the timer `ce_subject`."""

    type: ClassVar[str] = "timer.resumed.v1"
    opens: ClassVar[bool] = True


class TimerStopped(Event):
    """Stop was pressed on the timer `ce_subject`. The interval worked is half-open: [start, end)."""

    type: ClassVar[str] = "timer.stopped.v1"


class OwnerProfileSet(Event):
    """An owner's zone or standing changed; what is None stays. Counts for records that come after it on the log."""

    type: ClassVar[str] = "owner.profile_set.v1"

    owner: OwnerId
    zone: str | None = None
    timers_disabled: bool | None = None
    active: bool | None = None


class OwnerLeaveGranted(Event):
    """The owner has leave on the local day `on`."""

    type: ClassVar[str] = "owner.leave_granted.v1"

    owner: OwnerId
    on: Day


class OwnerLeaveRevoked(Event):
    """The owner's leave on the local day `on` was withdrawn."""

    type: ClassVar[str] = "owner.leave_revoked.v1"

    owner: OwnerId
    on: Day


class OwnerAttendanceRecorded(Event):
    """The owner checked in, and perhaps out, on the local day `on`.

    A day may have several of these, told apart by `checked_in_at`. The same one again replaces the first.
    """

    type: ClassVar[str] = "owner.attendance_recorded.v1"

    owner: OwnerId
    on: Day
    checked_in_at: Instant
    checked_out_at: Instant | None = None


class OwnerEstimateSet(Event):
    """The owner's assignment to a job was estimated at `seconds` of work."""

    type: ClassVar[str] = "owner.estimate_set.v1"

    owner: OwnerId
    job_id: Reference
    # Some thirty years: sums in microseconds must not overflow a reader's 64-bit integers.
    seconds: Annotated[int, Field(ge=0, le=1_000_000_000)]


class OwnerTextsErased(Event):
    """The owner's comments and work items were erased. Minutes stay."""

    type: ClassVar[str] = "owner.texts_erased.v1"

    owner: OwnerId


class DeadlineReached(Event):
    """Something may have fallen due for the owner: settle now. Doubled, early and late ones do no harm.

    Its record expires (`ce_expirytime`, 30 s) like a press. Without that, a broker's clock that jumps a day ahead would
    stop every running timer at limits that lie in tomorrow.
    """

    type: ClassVar[str] = "deadline.reached.v1"

    owner: OwnerId


TimerPress = TimerPaused | TimerResumed | TimerStopped
OwnerFact = (
    OwnerProfileSet
    | OwnerLeaveGranted
    | OwnerLeaveRevoked
    | OwnerAttendanceRecorded
    | OwnerEstimateSet
    | OwnerTextsErased
)
AnyEvent = TimerStarted | TimerPress | OwnerFact | DeadlineReached

# The names of the fields of `Work`, for code that copies them onto the timer.
WORK: Final = tuple(Work.model_fields)

_EVERY: Final[tuple[type[AnyEvent], ...]] = (
    TimerStarted,
    TimerPaused,
    TimerResumed,
    TimerStopped,
    OwnerProfileSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerTextsErased,
    DeadlineReached,
)

BODY_OF: Final[dict[str, TypeAdapter[AnyEvent]]] = {event.type: TypeAdapter(event) for event in _EVERY}
