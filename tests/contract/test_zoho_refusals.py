"""Dialect B end to end: every refusal that it words, reached by the rule itself, as the published page words it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

import httpx2 as httpx

from shared.events.rule_rows import ZOHO_TEXTS
from tests.support.proof.words import IN_START, TEXTS, UNNUMBERED, zoho_cells
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Person, Tenant
from tests.support.stack.ways_in import bearer, zoho

TIMER: Final = "/people/api/timetracker/timer"
VERBS: Final = ("start", "pause", "resume")
# Of dialect B's presses only a start says a day, and none a time. R22 and R23 are no caller's doing.
UNREACHED: Final = {("R14", "pause"), ("R14", "resume"), *product(("R22", "R23"), VERBS)}
CAP_SECONDS: Final = 12
PER_MINUTE: Final = 20

Heard = tuple[str, int | str, str, int]


def zone_at_noon(now: datetime) -> str:
    """Return the zone in which it is noon of the date in UTC, so that no day ends during the test."""
    return f"Etc/GMT{now.hour - 12:+d}"


def local_day(now: datetime, days_on: int = 0) -> str:
    return (now.date() + timedelta(days=days_on)).isoformat()


@dataclass(frozen=True, slots=True)
class Hand:
    """A person with a timer that is paused and one that runs."""

    person: Person
    paused: str
    running: str


@dataclass
class Office:
    """A tenant whose rules refuse all that they may, its admin, and what its persons heard: by rule and verb."""

    http: httpx.AsyncClient
    deployment: Deployment
    tenant: Tenant
    now: datetime
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)

    async def sets(self, replaces: int, **rules: dict[str, Any]) -> int:
        """Put a document in which the rules have these settings. Return its revision."""
        strict: dict[str, Any] = {rule: {"mode": "strict"} for rule in ("R08", "R09", "R10", "R11", "R12", "R20")}
        strict["R11"] |= {"billable_seconds_per_day": CAP_SECONDS}
        strict |= {"R13": {"mode": "block"}, "R16": {"auto_close_seconds": 50_400}}
        document = {"preset": "zoho", "zone": zone_at_noon(self.now), "rules": strict | rules, "replaces": replaces}
        put = await self.states("PUT", "/v1/policy", document)
        return int(put["revision"])

    async def hand(self, *, billable: bool = False, ago: int = 0) -> Hand:
        """Return a person whose first timer ran from so many seconds ago to half as many, when the second began."""
        person = await self.deployment.person(self.tenant)
        await self.states("PUT", f"/v1/owners/{person.owner}", {"active": True})
        now = datetime.now(UTC)
        began, paused = ((now - timedelta(seconds=seconds)).isoformat() for seconds in (ago, ago / 2))
        work = {"owner": person.owner, "job_id": "roof", "billable": billable}
        first = await self.states("POST", "/v1/timers", work | {"at": began})
        await self.states("POST", f"/v1/timers/{first['id']}/pause", {"at": paused})
        second = await self.states("POST", "/v1/timers", work | {"at": paused})
        return Hand(person, first["timelog_id"], second["timelog_id"])

    async def press(
        self,
        rule: str,
        verb: str,
        hand: Hand,
        *,
        by: Person | None = None,
        key: str | None = None,
        **other: str | None,
    ) -> None:
        """Press, and remember what is heard. Parameters may be others than the ordinary ones, or None: left out."""
        ordinary: dict[str, dict[str, str | None]] = {
            "start": {
                "user": hand.person.owner,
                "jobId": "roof",
                "workDate": local_day(self.now),
                "billingStatus": "billable",
                "timer": "start",
            },
            "pause": {"timeLogId": hand.running, "timer": "stop"},
            "resume": {"timeLogId": hand.paused, "timer": "start"},
        }
        given = {name: value for name, value in (ordinary[verb] | other).items() if value is not None}
        headers = zoho((by or hand.person).token) | ({} if key is None else {"Idempotency-Key": key})
        answer = await self.http.post(TIMER, data=given, headers=headers)
        told = answer.json()["response"]
        errors = told.get("errors", {"code": "", "message": ""})
        self.heard[rule, verb] = told["message"], errors["code"], errors["message"], answer.status_code

    async def all_three(self, rule: str, hand: Hand, by: Person | None = None) -> None:
        """Start, pause and resume."""
        for verb in VERBS:
            await self.press(rule, verb, hand, by=by)

    async def states(self, method: str, path: str, said: dict[str, Any] | None) -> dict[str, Any]:
        answer = await self.http.request(method, path, json=said, headers=bearer(self.tenant.token))
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told


async def _of_the_request(office: Office, hand: Hand) -> None:
    """Hear what the request shows by itself, and what is not legal now."""
    await office.all_three("R01", hand, by=replace(hand.person, token="1000.8cb99d.9b8"))
    await office.press("R02", "start", hand, jobId=None)
    await office.press("R02", "pause", hand, timeLogId=None)
    await office.press("R03", "start", hand, billingStatus="maybe")
    await office.press("R03", "pause", hand, jobId="roof")
    await office.press("R03", "resume", hand, jobId="roof")
    await office.press("R04", "start", hand, description="x" * 251)
    await office.press("R05", "pause", hand, timeLogId="1")
    await office.press("R05", "resume", hand, timeLogId="1")
    await office.press("R07", "pause", hand, timeLogId=hand.paused)
    await office.press("R07", "resume", hand, timeLogId=hand.running)
    await office.press("R13", "start", hand)
    await office.press("R13", "resume", hand)
    await office.press("R14", "start", hand, workDate=local_day(office.now, 1))
    await office.press("a date", "start", hand, workDate="1.1.2026")


async def _of_the_caller(office: Office, hand: Hand, stranger: Person) -> None:
    """Hear that a person presses for another, sends a key twice with two meanings, and presses too often."""
    await office.all_three("R06", hand, by=stranger)
    for job in ("roof", "cellar"):
        await office.press("R24", "start", hand, key="k", jobId=job)
    # A key belongs to its timer: here it names a pause first, and then a resume.
    await office.press("R24", "pause", hand, key="k", timeLogId=hand.paused)
    await office.press("R24", "resume", hand, key="k")
    await office.press("R24 before", "resume", hand, key="l", timeLogId=hand.running)
    await office.press("R24", "pause", hand, key="l")
    await asyncio.gather(*(office.http.get(TIMER, headers=zoho(stranger.token)) for _ in range(2 * PER_MINUTE)))
    await office.all_three("R19", hand, by=stranger)


async def _of_an_owner(office: Office, rule: str, method: str, what: str, said: dict[str, Any] | None) -> None:
    """Hear what the rule says after something was stated about the owner; of R11, after a day's work."""
    hand = await office.hand(billable=rule == "R11", ago=20)
    if said is not None or method == "PUT":
        await office.states(method, f"/v1/owners/{hand.person.owner}{what}", said)
    await office.all_three(rule, hand)


def _stated(now: datetime) -> dict[str, tuple[str, str, dict[str, Any] | None]]:
    """Return what is stated of the owner for each rule: that she has gone home two hours ago, and so on."""
    came, left = ((now - timedelta(hours=hours)).isoformat() for hours in (3, 2))
    return {
        "R08": ("PUT", "", {"timers_disabled": True}),
        "R09": ("PUT", f"/leave/{local_day(now)}", None),
        "R10": ("POST", "/attendance", {"checked_in_at": came, "checked_out_at": left}),
        "R11": ("GET", "", None),
        "R12": ("PUT", "/estimates/roof", {"seconds": 0}),
        "R20": ("PUT", "", {"active": False}),
    }


async def test_every_refusal_of_dialect_b_is_reached_by_its_rule(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment
) -> None:
    """What the published page lists is said when its rule fires, by each verb that hears it."""
    await crew.be(apis=1, projectors=1)
    counting = await crew.api({"COMMAND_API_ZOHO_THRESHOLD_PER_MINUTE": str(PER_MINUTE)})
    tenant = await deployment.tenant(role="admin")
    office = Office(client(counting.url), deployment, tenant, datetime.now(UTC))
    await Api(office.http, tenant.token).knows(tenant)
    revision = await office.sets(tenant.revision)
    plain, other, stranger = await asyncio.gather(office.hand(), office.hand(), deployment.person(tenant))
    await asyncio.gather(
        _of_the_request(office, plain),
        _of_the_caller(office, other, stranger),
        *(_of_an_owner(office, rule, *stated) for rule, stated in _stated(office.now).items()),
    )
    await office.sets(revision, R15={"mode": "block", "locked_before": local_day(office.now, 1)})
    await office.press("R15", "start", other)
    await office.press("R15", "resume", other)

    del office.heard["R24 before", "resume"]
    assert office.heard.pop(("a date", "start")) == (IN_START, 8002, "Wrong format for parameter", 400)
    assert office.heard == {
        (id_, verb): (message, code, TEXTS[code], status)
        for id_, verb, message, code, status in zoho_cells()
        if (id_, verb) not in UNREACHED
    }


def test_the_cells_that_are_reached_hold_every_message_and_code_of_the_page() -> None:
    reached = [cell for cell in zoho_cells() if cell[:2] not in UNREACHED]
    assert set(UNNUMBERED) <= {message for _, _, message, _, _ in reached}
    assert {code for code in ZOHO_TEXTS if isinstance(code, int)} == {
        cell[3] for cell in reached if isinstance(cell[3], int)
    } | {8002}
