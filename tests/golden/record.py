"""Writes a log with every type of record, as the release in hand writes them: `python -m tests.golden.record NAME`.

Without a name it is the release's number. A log that is there is never written again. When a record gains a member,
give it to a press below, and write a log of another name (`0.1.0-reason`) beside the first: the test asks for it.

One story, in which every verdict is given, and a timer changed for each reason. The product's own writers write the
records: nothing here spells a format, but for commands, which other services write.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.command_api.desk.commands import Asked, Caller
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.dialects.kafka.answers import dead_headers
from services.command_api.dialects.kafka.reading import ParsedCommand, read_command
from services.command_api.openapi.document import VERSION
from services.command_api.submit.press import press_of
from services.projector.clock.tick import tick_for
from services.projector.domain.entry import Entry, LoggedPress, UnreadableRecord, moment_of
from services.projector.domain.fold import fold_entry
from services.projector.domain.outcomes import Kept
from shared.events import topics
from shared.events.codec import Newer, Press, Unreadable, read, write_body
from shared.events.envelope import ReplyAddress, encode_headers
from shared.events.ids import to_long
from shared.events.models import (
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerFact,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
)
from shared.events.outcome import join_replies, outcome_key
from shared.events.policies.book import PolicyBook
from shared.events.policy import Policy
from shared.events.texts import TimerText
from shared.kafka.policy_writer import outgoing_policy
from tests.golden.recorded import LOGS, Recorded
from tests.support.fakes.desks import ANY_TIME, NOON
from tests.support.story.given import DANA, MONDAY, Told, fact, new_ledger, paused, started, stopped, timer_id

SERVICE: Final = Caller("acme", "payroll", "machine")
EXPIRES_AFTER: Final = timedelta(seconds=30)
FIRST: Final = {"preset": "native", "zone": "Asia/Jerusalem"}
ACME: Final[dict[str, Any]] = {
    "preset": "native",
    "zone": "Asia/Jerusalem",
    "weekend": [{"from": "2026-01-01", "days": "6,7"}],
    "holidays": [{"day": "2026-04-02", "name": "פסח"}],
    "timers_disabled": False,
    "rules": {
        "R08": {"mode": "block"},
        "R09": {"mode": "flag"},
        "R10": {"mode": "flag"},
        "R11": {"mode": "flag", "billable_seconds_per_day": 28800},
        "R12": {"mode": "flag"},
        "R13": {"mode": "stop_previous"},
        "R14": {"mode": "flag"},
        "R15": {"mode": "flag", "max_backdate_seconds": 604800, "locked_before": "2026-02-01"},
        "R16": {"mode": "flag", "long_running_seconds": 36000, "auto_close_seconds": 50400},
        "R17": {"mode": "flag"},
        "R18": {"mode": "flag"},
        "R20": {"mode": "off"},
    },
}
OTHER: Final[dict[str, Any]] = {
    "preset": "zoho",
    "zone": "Europe/Berlin",
    "weekend": [{"from": "2026-01-01", "days": "7,1"}],
    "rules": {"R09": {"mode": "block"}, "R13": {"mode": "pause_previous"}, "R16": {"auto_close_seconds": 50400}},
}
# The last that is in force.
REVISION: Final = 2
TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def policies() -> list[Recorded]:
    """Return two tenants' first documents, a second one, and one that is void: its writer had not seen the second."""
    set_by, at = "console/avi", MONDAY - timedelta(days=30)
    first, other, second = (Policy.model_validate(said) for said in (FIRST, OTHER, ACME))
    written = [
        outgoing_policy("acme", first, replaces=None, set_by=set_by, set_at=at),
        outgoing_policy("other", other, replaces=None, set_by=set_by, set_at=at),
        outgoing_policy("acme", second, replaces=0, set_by=set_by, set_at=at + timedelta(days=1)),
        outgoing_policy("acme", first, replaces=0, set_by="too late", set_at=at + timedelta(days=1)),
    ]
    return [Recorded(offset, _ms(at), one.key, [], one.value) for offset, one in enumerate(written)]


def commands() -> list[Recorded]:
    """Return commands of another service about one timer, with all that they may say; then two that are none."""
    began, ended = "2026-03-02T09:00:00+02:00", "2026-03-02T09:25:00+02:00"
    timer = {"tenant": "acme", "timer_id": to_long(timer_id("order"))}
    work = {"account_id": "A-1", "job_id": "J-1", "project_id": "P-1", "billable": False, "work_date": "2026-03-02"}
    said: list[tuple[str, dict[str, Any]]] = [
        ("start", {"tenant": "acme", "owner": "dana", "at": began, **work, "reference": "order 17"}),
        ("pause", {**timer, "at": "2026-03-02T09:09:00+02:00", "reason": "lunch"}),
        ("resume", {**timer, "at": "2026-03-02T09:20:00+02:00"}),
        ("stop", {**timer, "at": ended}),
        ("stop", {**timer, "lunch": True}),
        ("begin", timer),
    ]
    return [
        Recorded(
            offset,
            _ms(MONDAY + timedelta(hours=7, minutes=offset * 10)),
            b"dana",
            [
                ("ce_specversion", b"1.0"),
                ("ce_id", f"order-17-{offset}".encode()),
                ("ce_source", SERVICE.client.encode()),
                ("ce_type", f"timer.{verb}.v1".encode()),
                ("content-type", b"application/json"),
                ("reply_to", b"timer.replies.payroll"),
                ("reply_partition", b"3"),
            ],
            json.dumps(value, ensure_ascii=False).encode(),
        )
        for offset, (verb, value) in enumerate(said)
    ]


def events(commanded: Iterable[Recorded]) -> list[Recorded]:
    """Return the log of presses: those of the commands among facts, ticks, presses of each verdict, and no presses."""
    log = sorted(
        [*_commanded(commanded), *_facts(), *_presses(), *_ticks(), *_unreadable()], key=lambda one: one.timestamp
    )
    return [replace(one, offset=offset) for offset, one in enumerate(log)]


def _commanded(commanded: Iterable[Recorded]) -> Iterator[Recorded]:
    """Return the presses that commands became. They never expire, and are answered where the command says."""
    for command in commanded:
        said = read_command(_as_read(command), ANY_TIME)
        if isinstance(said, ParsedCommand):
            asked = Asked(said.command, SERVICE, "kafka", said.key)
            press = press_of(asked, now=moment_of(command.timestamp), expires_after=EXPIRES_AFTER)
            id_ = timer_id("order") if press.draws_an_id else press.timer_id
            envelope = replace(press.envelope(id_, REVISION, said.reply), expires_at=None)
            yield Recorded(0, command.timestamp, press.key(id_), list(encode_headers(envelope)), press.body())


def _facts() -> Iterator[Recorded]:
    window = {"checked_in_at": "2026-03-02T05:00:00Z", "checked_out_at": "2026-03-02T15:00:00Z"}
    for told in (
        fact(OwnerProfileSet, "05:00", zone="Asia/Jerusalem", timers_disabled=False, active=True),
        fact(OwnerLeaveGranted, "05:01", on="2026-03-05"),
        fact(OwnerLeaveRevoked, "05:02", on="2026-03-05"),
        fact(OwnerAttendanceRecorded, "05:03", on="2026-03-02", **window),
        fact(OwnerEstimateSet, "05:04", job_id="J-1", seconds=1200),
        fact(OwnerTextsErased, "2026-03-03T10:00", owner="noam"),
    ):
        yield _pressed(told)


def _presses() -> Iterator[Recorded]:
    """Return presses of every verdict, and of every reason why a timer changes."""
    for told in (
        paused("order", at="08:00"),  # it was stopped
        stopped("nobody", at="08:01"),
        started("desk", at="09:00", by=DANA, key="k-1", expires="09:00:30", job_id="J-2", work_date=MONDAY.date()),
        started("call", at="09:40"),  # ends the one at the desk
        stopped("desk", at="09:50", asked="09:30", logged="09:50:00.250"),  # takes that end back
        started("desk", at="09:51", by=DANA, key="k-1", digest="another", expires="09:51:30"),
        started("lost", at="09:52", expires="09:52:30", logged="09:53"),
        stopped("call", at="10:00"),
        stopped("call", at="10:01"),
        started("night", at="11:00", zone_assumed=True, account_id="A-2"),  # until the system stops it
        started("far", at="12:00", tenant="other", owner="mia"),
        started("near", at="12:10", tenant="other", owner="mia"),  # pauses the one before
        started("sunday", at="2026-03-08T12:00", tenant="other", owner="mia"),  # a day off: blocked
        started("stray", at="12:20", tenant="third"),  # it has no policy
    ):
        yield _pressed(told)


def _pressed(told: Told) -> Recorded:
    """Return the record of a press that the API wrote, and waits for if it expires."""
    # Each has an id of its own, unless it has a key.
    logged = told.logged(_ms(told.log_time))
    envelope = replace(logged.envelope, policy_rev=REVISION)
    if told.expires_at is not None:
        reply = ReplyAddress(topics.REPLIES, 17, str(envelope.event_id))
        envelope = replace(envelope, traceparent=TRACE, reply=reply)
    event = logged.event
    key = f"{event.tenant}/{event.owner}" if isinstance(event, OwnerFact) else str(told.timer)
    return Recorded(0, _ms(told.log_time), key.encode(), list(encode_headers(envelope)), write_body(event))


def _ticks() -> Iterator[Recorded]:
    """Return the deadlines of the timer that nobody stops, and one at which nothing is due."""
    for at in ("2026-03-02T21:00:01", "2026-03-03T01:00:01", "2026-03-03T02:00"):
        now = datetime.fromisoformat(at + "Z")
        tick = tick_for("acme", "dana", now, REVISION)
        yield Recorded(0, _ms(now), tick.key, list(tick.headers), tick.value)


def _unreadable() -> Iterator[Recorded]:
    """Return records that no release can read."""
    press = _pressed(stopped("call", at="12:30"))
    for minute, (headers, value) in enumerate(
        [
            (press.headers, b"no json"),
            (press.headers, b'{"tenant":"acme"}'),
            ([(name, said) for name, said in press.headers if name != "ce_time"], press.value),
            ([*press.headers, ("ce_type", b"lunch")], press.value),
        ]
    ):
        yield Recorded(0, press.timestamp + 60_000 * minute, press.key, headers, value)


@dataclass
class Judged:
    """What the projector writes of the log: each outcome that it keeps, and the answers to those who wait."""

    outcomes: list[Recorded]
    answers: list[tuple[ReplyAddress, bytes]]


def judged(log: Iterable[Recorded], documents: Iterable[Recorded]) -> Judged:
    """Judge the log, as a projector does that has all policies."""
    book, ledger, came = PolicyBook(), new_ledger(), Judged([], [])
    for one in documents:
        book.apply(one.offset, one.key, one.value, moment_of(one.timestamp))
    for record in log:
        log_time = moment_of(record.timestamp)
        entry: Entry
        match read(record.headers, record.value):
            case Press() as press:
                entry = LoggedPress(record.offset, log_time, press)
            case Unreadable() as unreadable:
                entry = UnreadableRecord(record.offset, log_time, unreadable)
            case Newer(type=type_):
                raise AssertionError(f"{type_} is no type of this release")
        folded = fold_entry(ledger, entry, book)
        if isinstance(folded, Kept):
            key = outcome_key(folded.outcome)
            came.outcomes.append(Recorded(len(came.outcomes), record.timestamp, key, [], folded.body))
        if isinstance(entry, LoggedPress) and entry.envelope.reply is not None:
            came.answers.append((entry.envelope.reply, folded.body))
    return came


def replies(answers: Iterable[tuple[ReplyAddress, bytes]]) -> list[Recorded]:
    """Return the answers to our own API process: all that one commit has for it are one record."""
    ours = [(to.request_id, body) for to, body in answers if to.topic == topics.REPLIES]
    return [Recorded(0, _ms(MONDAY + timedelta(hours=10)), None, [], join_replies(ours))]


def texts() -> list[Recorded]:
    """Return a text, one that belongs to a start that lost its id to another, and an erasure."""
    key = str(timer_id("order")).encode()
    said = {"tenant": "acme", "owner": "dana"}
    written = [
        TimerText(**said, event_id=UUID(int=1), comment="פגישה עם לקוח", work_item="<b>the fourth floor</b>"),
        TimerText(**said, event_id=UUID(int=2), comment="lost"),
    ]
    values = [text.__pydantic_serializer__.to_json(text, exclude_none=True) for text in written]
    return [Recorded(offset, _ms(MONDAY), key, [], value) for offset, value in enumerate([*values, None])]


def dead_letters(commanded: Iterable[Recorded]) -> list[Recorded]:
    """Return the letters of those commands that are none."""
    buried: list[Recorded] = []
    for command in commanded:
        record = _as_read(command)
        if not isinstance(dead := read_command(record, ANY_TIME), ParsedCommand):
            headers = list(dead_headers(record, dead))
            buried.append(Recorded(len(buried), command.timestamp, command.key, headers, command.value))
    return buried


def story() -> dict[str, list[Recorded]]:
    """Return the records of each topic."""
    documents, commanded = policies(), commands()
    log = events(commanded)
    came = judged(log, documents)
    return {
        topics.COMMANDS: commanded,
        topics.EVENTS: log,
        topics.TEXTS: texts(),
        topics.OUTCOMES: came.outcomes,
        topics.REPLIES: replies(came.answers),
        topics.POLICIES: documents,
        topics.DEAD: dead_letters(commanded),
    }


def main() -> None:
    """Write a log, unless it is there."""
    folder = LOGS / (sys.argv[1] if len(sys.argv) > 1 else VERSION)
    if folder.exists():
        sys.exit(f"{folder} is there, and golden files are never edited: write a log of another name")
    folder.mkdir(parents=True)
    for topic, held in story().items():
        folder.joinpath(f"{topic}.jsonl").write_text("".join(one.line() for one in held), encoding="utf-8")


def _as_read(command: Recorded) -> CommandRecord:
    return CommandRecord(0, command.offset, command.key, command.value, command.headers, NOON)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


if __name__ == "__main__":
    main()
