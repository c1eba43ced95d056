"""A desk to test dialects with: it answers what a test tells it to, and remembers what it was asked to record.

Where it differs: nothing is judged, stored or sent. No call waits, not even `wait_for`, and its clock stands at NOON.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, Literal
from uuid import UUID

import httpx2 as httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from services.command_api import dialects
from services.command_api.desk.commands import (
    Accepted,
    Answer,
    Asked,
    Caller,
    NotRecorded,
    Position,
    Refused,
    StillWaiting,
)
from services.command_api.desk.desk import Away, Busy, Desk, IssuedToken, OverThreshold, Unknown
from services.command_api.desk.policies import BecameOfPut, MovedOn, NotSet, Revision, SetTooOften
from services.command_api.desk.questions import TimerFilter, TimerKey, ViolationFilter, ViolationKey
from services.command_api.desk.rows import (
    DaysRow,
    HistoryRow,
    NoSuchPartitionError,
    OpenTimer,
    OutcomeRow,
    OwnerRow,
    Person,
    ReadsAwayError,
    RunningTimer,
    TimerRow,
    TimersFound,
    ViolationRow,
)
from services.command_api.desk.tally import Tally
from services.command_api.dialects.times import Opening
from shared.events.ids import ID_EPOCH, make_short, slot_of, to_long
from shared.events.outcome import State, TimerAfter
from shared.events.policies.book import PolicyRecord
from shared.events.policies.revisions import Setting
from shared.events.policy import Policy, Preset
from shared.events.rules import Rule
from shared.process.http.front import Front

PARTITIONS: Final = 12
BACKDATE_DAYS_MAX: Final = 62
NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
# A hundred years back, so that no time of a test is too long ago.
ANY_TIME: Final = Opening(lambda: NOON, 36_600)
SHORT: Final = make_short((NOON - ID_EPOCH).days * 86_400_000, slot_of("acme", "dana"), 5)
LONG: Final = to_long(SHORT)
EVENT_ID: Final = UUID("019ca9d4-5e00-7000-8000-000000000001")
MACHINE: Final = Caller("acme", "crm", "machine")
ADMIN: Final = Caller("acme", "office", "admin")
DANA: Final = Caller("acme", "zoho-client", "person", "dana")
PERSON: Final = Person("dana", "Dana Levi", ("dana@acme.example", "E-17"))
POSITION: Final = Position(3, 42)
WAITING: Final = StillWaiting(EVENT_ID, SHORT, POSITION, "d" * 64)
NOT_RECORDED: Final = NotRecorded("overloaded", 7)
TIMER: Final = TimerAfter(
    id=SHORT,
    owner="dana",
    account_id=None,
    job_id="J-1",
    project_id=None,
    billable=True,
    work_date=None,
    state=State.RUNNING,
    started_at=NOON,
    stopped_at=None,
    total_us=0,
    last_at=NOON,
    flags=(),
)
NO_DAYS: Final = DaysRow(zone=None, position=None, days=())
POLICY: Final = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")


def accepted(timer: TimerAfter = TIMER) -> Accepted:
    """Return the verdict on an accepted press, which left its timer as `timer`."""
    return Accepted(timer, POSITION)


def refused(rule: Rule) -> Refused:
    """Return a refusal."""
    return Refused(rule, POSITION)


@dataclass
class QuotasInHand:
    """Quotas that let all requests go on, or none: `over_quota`."""

    over_quota: OverThreshold | None = None
    counted: list[Caller] = field(default_factory=list)

    def over(self, caller: Caller) -> OverThreshold | None:
        self.counted.append(caller)
        return self.over_quota


@dataclass
class PolicyLogInHand:
    """The policies of one tenant. `became`: what each PUT becomes. None: it comes into force, whatever it replaces."""

    revisions: list[Revision] = field(default_factory=list)
    has_begun: bool = True
    became: MovedOn | SetTooOften | NotSet | None = None
    asked: list[tuple[str, Policy, int | None]] = field(default_factory=list)

    def revision(self, tenant: str, number: int | None) -> Revision | None:
        theirs = self.revisions if tenant == MACHINE.tenant else []
        return next((one for one in reversed(theirs) if number in {None, one.number}), None)

    def history(self, tenant: str, before: int | None, most: int) -> list[Setting]:
        theirs = self.revisions if tenant == MACHINE.tenant else []
        found = [one for one in reversed(theirs) if before is None or one.number < before][:most]
        return [
            Setting(one.number, said.replaces, said.set_by, said.set_at, said.set_at)
            for one in found
            for said in [one.record]
        ]

    async def put(self, caller: Caller, document: Policy, replaces: int | None) -> BecameOfPut:
        self.asked.append((caller.tenant, document, replaces))
        if self.became is not None:
            return self.became
        record = PolicyRecord(replaces=replaces, set_by=caller.client, set_at=NOON, document=document)
        self.revisions.append(Revision(self.revisions[-1].number + 1 if self.revisions else 0, record))
        return self.revisions[-1]


@dataclass
class Clerk:
    """Every collaborator of a desk at once. What a test does not set is ordinary: a machine, an accepted press."""

    caller: Caller | Unknown | Away = MACHINE
    answer: Answer = field(default_factory=accepted)
    policy: Policy | None = POLICY
    policy_log: PolicyLogInHand = field(default_factory=PolicyLogInHand)
    issued: IssuedToken | Busy | None = None
    open: list[OpenTimer] = field(default_factory=list)
    row: TimerRow | None = None
    running: RunningTimer | None = None
    outcome_row: OutcomeRow | None = None
    violation_rows: list[ViolationRow] = field(default_factory=list)
    history_rows: list[HistoryRow] = field(default_factory=list)
    timer_rows: list[TimerRow] = field(default_factory=list)
    looked_until: TimerKey | None = None
    days_row: DaysRow = NO_DAYS
    owner_row: OwnerRow = field(default_factory=OwnerRow)
    is_person: bool = True
    checkpoint: int | None = None
    fresh: bool = True
    away: bool = False
    known: Answer | None = None
    submitted: list[Asked] = field(default_factory=list)
    looked_up: list[Asked] = field(default_factory=list)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)
    over_threshold: OverThreshold | None = None
    quotas: QuotasInHand = field(default_factory=QuotasInHand)
    thebase_quotas: QuotasInHand = field(default_factory=QuotasInHand)
    tally: Tally = field(default_factory=Tally)
    counted: list[tuple[Caller, str]] = field(default_factory=list)

    async def caller_of(self, authorization: str | None) -> Caller | Unknown | Away:
        self.shown.append(authorization)
        return self.caller

    async def over(self, caller: Caller, uri: str) -> OverThreshold | None:
        self.counted.append((caller, uri))
        return self.over_threshold

    async def person_of(self, caller: Caller) -> Person | None:
        self._ask("person_of", caller)
        return None if caller.person is None else PERSON

    async def issue_token(self, client_id: str, secret: str) -> IssuedToken | Busy | None:
        self._ask("issue_token", client_id, secret)
        return self.issued

    async def submit(self, asked: Asked) -> Answer:
        self.submitted.append(asked)
        return self.answer

    async def first_answer(self, asked: Asked) -> Answer | None:
        self.looked_up.append(asked)
        return self.known

    def latest(self, tenant: str) -> Policy | None:  # noqa: ARG002 - every tenant gets the test's answer
        return self.policy

    async def open_timers(self, tenant: str, limit: int, offset: int, owner: str | None = None) -> list[OpenTimer]:
        self._ask("open_timers", tenant, limit, offset, owner)
        return self.open[offset : offset + limit + 1]

    async def timer(self, tenant: str, timer_id: int) -> TimerRow | None:
        self._ask("timer", tenant, timer_id)
        return self.row

    async def running_timer(self, tenant: str, owner: str) -> RunningTimer | None:
        self._ask("running_timer", tenant, owner)
        return self.running

    async def owner(self, tenant: str, owner: str) -> OwnerRow:
        self._ask("owner", tenant, owner)
        return self.owner_row

    async def set_aliases(self, tenant: str, owner: str, aliases: Sequence[str]) -> bool:
        self._ask("set_aliases", tenant, owner, aliases)
        return self.is_person

    async def outcome(self, tenant: str, event_id: UUID, kpart: int | None) -> OutcomeRow | None:
        self._ask("outcome", tenant, event_id, kpart)
        return self.outcome_row

    async def next_offset(self, kpart: int) -> int | None:  # noqa: ARG002 - every partition gets the test's answer
        return self.checkpoint

    async def wait_for(self, tenant: str, kpart: int, offset: int, seconds: float) -> bool:
        self._ask("wait_for", tenant, kpart, offset, seconds)
        if kpart >= PARTITIONS:
            raise NoSuchPartitionError(kpart)
        return self.fresh

    async def violations(
        self, tenant: str, asked: ViolationFilter, after: ViolationKey | None, limit: int
    ) -> list[ViolationRow]:
        self._ask("violations", tenant, asked, after, limit)
        return self.violation_rows[: limit + 1]

    async def timers(self, tenant: str, asked: TimerFilter, after: TimerKey | None, limit: int) -> TimersFound:
        self._ask("timers", tenant, asked, after, limit)
        page, more = self.timer_rows[:limit], self.timer_rows[limit:]
        return TimersFound(page, page[-1].key if more else self.looked_until)

    async def current(self, tenant: str, owner: str, limit: int) -> list[TimerRow]:
        self._ask("current", tenant, owner, limit)
        return self.timer_rows[:limit]

    async def history(self, timer_id: int, after: int, limit: int) -> list[HistoryRow]:
        self._ask("history", timer_id, after, limit)
        return [row for row in self.history_rows if row.source_offset > after][:limit]

    async def days(self, tenant: str, owner: str, first: date, last: date) -> DaysRow:
        self._ask("days", tenant, owner, first, last)
        return self.days_row

    async def work_days(
        self, tenant: str, kind: Literal["account", "job"], about: str, first: date, last: date
    ) -> DaysRow:
        self._ask("work_days", tenant, kind, about, first, last)
        return self.days_row

    def _ask(self, *question: object) -> None:
        if self.away:
            raise ReadsAwayError
        self.asked.append(question)

    @property
    def only(self) -> Asked:
        """The one press that was submitted."""
        (one,) = self.submitted
        return one

    def desk(self) -> Desk:
        """Return the desk behind which this clerk is everybody."""
        return Desk(
            identities=self,
            threshold=self,
            quotas={"native": self.quotas, "thebase": self.thebase_quotas},
            submitter=self,
            policies=self,
            policy_log=self.policy_log,
            reads=self,
            reports=self,
            people=self,
            tally=self.tally,
            now=lambda: NOON,
            answer_within_seconds=2.0,
            backdate_days_max=BACKDATE_DAYS_MAX,
        )

    def client(self, *, zoho_errors_as_200: bool = False) -> httpx.AsyncClient:
        """Return a client of an application that has nothing but the dialects, and the front before them."""

        def in_words(request: Request, problem: HTTPException) -> Response:
            return dialects.error_response(request, problem.status_code, problem.headers)

        async def unanswered(request: Request, problem: Exception) -> Response:
            assert isinstance(problem, HTTPException)
            return in_words(request, problem)

        routes = dialects.routes(self.desk(), zoho_errors_as_200=zoho_errors_as_200)
        front = Middleware(Front, routes=routes, in_words=in_words)
        app = Starlette(routes=routes, middleware=[front], exception_handlers={HTTPException: unanswered})
        app.router.redirect_slashes = False
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test")
