"""The table of rules: each rule once, as data. docs/rules.md, the presets and the dialects' refusals are made from it.

Listed by id. The order in which rules answer is not here: docs/contract.md, section 6.
Safe to change: `means`, and what is "ours" in a dialect. With care: a default, because policies leave it out.
Never: a published word, status or code.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .rule_rows import (
    FLAGS,
    OVERLAPS,
    REFUSES,
    REFUSES_PAUSES,
    ZOHO_BAD_TOKEN,
    Finds,
    Limit,
    RuleRow,
    ZohoAnswer,
    by_verb,
    everywhere,
    on_both,
)
from .rules import Rule

_ALONE: Final = "Logged-in user alone can start timer"
_OVER_CAP: Final = "Logged Hours is greater than maximum billable hours allowed per day"
_OVER_ESTIMATE: Final = "Logged Hours is greater than Estimated hours"

_NO_END: Final = "it has no end, because the press was refused"
_LOCKED_END: Final = "it ends when its interval ends; of time added to locked days, where the lock does"
_WITH_INTERVAL: Final = "it ends when its interval ends"
_AT_MIDNIGHT: Final = "it ends when its interval ends, or at the next local midnight: the new day is looked at anew"

RULE_ROWS: Final[tuple[RuleRow, ...]] = (
    RuleRow(
        rule=Rule.TOKEN_UNKNOWN,
        means="the token is missing, unknown or expired, or there are two `Authorization` headers",
        sentence="The access token is missing, unknown or expired.",
        thebase=on_both(401),
        zoho=ZohoAnswer("INVALID_OAUTHTOKEN", everywhere(ZOHO_BAD_TOKEN), 401),
        native=401,
    ),
    RuleRow(
        rule=Rule.PARAMETER_MISSING,
        means="a mandatory parameter is missing or empty",
        sentence="A mandatory parameter is missing or empty.",
        about="{parameter} is mandatory.",
        zoho=ZohoAnswer(8000),
        native=400,
    ),
    RuleRow(
        rule=Rule.VALUE_INVALID,
        means="a value cannot be read: a word, a date, JSON, or a character that no store can keep",
        sentence="A value is not valid.",
        about="{parameter} is not valid.",
        zoho=ZohoAnswer(8001, code_of_a_date=8002),
        native=400,
        beside=(
            "A start before 2020-01-01 is invalid: ids begin there.",
            "How far back a start or a resume may lie is set by the deployment: `COMMAND_API_BACKDATE_DAYS_MAX`.",
            "In C the sentence says what may stand there instead.",
        ),
    ),
    RuleRow(
        rule=Rule.TEXT_TOO_LONG,
        means="a text is longer than its field",
        sentence="A text is too long.",
        about="{parameter} is too long.",
        zoho=ZohoAnswer(8001),
        native=400,
        beside=("The lengths are the contract's: sections 2 to 4.",),
    ),
    RuleRow(
        rule=Rule.TIMER_UNKNOWN,
        means="there is no such timer, or it is another tenant's",
        sentence="There is no such timer.",
        thebase=on_both(404),
        zoho=ZohoAnswer(8001),
        native=404,
    ),
    RuleRow(
        rule=Rule.NOT_THE_OWNER,
        means="the token is a person's, and that person is not the owner",
        sentence="Only the owner may do this.",
        # No 403 in dialect A: another person's timer is answered like one that does not exist.
        thebase={"start": 400, "stop": 404},
        zoho=ZohoAnswer(
            7038,
            by_verb(start=_ALONE, pause=f"Error in pausing timer.{_ALONE}", resume=f"Error in starting timer.{_ALONE}"),
        ),
        native=403,
        finds=Finds("at the press", _NO_END),
    ),
    RuleRow(
        rule=Rule.NOT_LEGAL_NOW,
        means="the timer's state does not allow the press: a pause needs a running timer, a resume a paused one",
        sentence="The timer's state does not allow this.",
        zoho=ZohoAnswer(8001),
        native=409,  # it may be legal after another press
        beside=(
            "Dialect A never hears it: a start and a stop are legal in every state.",
            "In C the sentence names the state and the press, such as `A PAUSED timer cannot be paused.`",
        ),
        finds=Finds("at the press", _NO_END),
    ),
    RuleRow(
        rule=Rule.TIMERS_DISABLED,
        means="timers are disabled for the tenant or for the owner",
        sentence="Timers are disabled.",
        zoho=ZohoAnswer(8005),
        native=422,
        modes=REFUSES_PAUSES,
        default="block",
        limits=(Limit("timers_disabled", "whether timers are disabled for the whole tenant"),),
        beside=("Of one owner: the fact `owner.profile_set.v1`, `timers_disabled`.",),
        finds=Finds("at the press", _WITH_INTERVAL),
    ),
    RuleRow(
        rule=Rule.DAY_OFF,
        means="the owner's local date is a weekend, a holiday or a leave",
        sentence="The day is a weekend, a holiday or a leave.",
        zoho=ZohoAnswer(8008),
        native=422,
        modes=REFUSES_PAUSES,
        default="flag",
        presets={"zoho": "block"},
        limits=(
            Limit("weekend", "which days of the week are off (1 is Sunday), each set from a date on"),
            Limit("holidays", "single days off"),
        ),
        beside=("A leave of one owner: the facts `owner.leave_granted.v1` and `owner.leave_revoked.v1`.",),
        finds=Finds(
            "at the press; while the timer runs, at the local midnight at which a day off begins", _AT_MIDNIGHT
        ),
    ),
    RuleRow(
        rule=Rule.OUTSIDE_ATTENDANCE,
        means="the time lies outside check-in to check-out of its local day; a day without check-in is quiet",
        sentence="The time is outside the attendance hours.",
        zoho=ZohoAnswer(8008, everywhere("Cannot log time beyond attendance hours")),
        native=422,
        modes=REFUSES_PAUSES,
        default="flag",
        presets={"zoho": "strict"},
        beside=("The hours of one owner: the fact `owner.attendance_recorded.v1`, several windows a day.",),
        finds=Finds(
            "at the press; while the timer runs, at the check-out, if that lies after the interval's start (told later "
            "on its day, when it is told)",
            _AT_MIDNIGHT,
        ),
    ),
    RuleRow(
        rule=Rule.OVER_DAILY_CAP,
        means="the owner's billable time of the local day, open intervals included, is at or over the cap",
        sentence="The billable hours of the day are used up.",
        zoho=ZohoAnswer(
            8005,
            by_verb(
                start=f"Error in adding/modifying Timelog.{_OVER_CAP}",
                pause=f"Error in pausing the Timer.{_OVER_CAP}",
                resume=f"Error in restarting the Timer.{_OVER_CAP}",
            ),
        ),
        native=422,
        modes=REFUSES_PAUSES,
        default="flag",
        presets={"zoho": "strict"},
        limits=(Limit("rules.R11.billable_seconds_per_day", "the cap"),),
        finds=Finds(
            "at the press of a billable timer; while it runs, at the first microsecond at which the parts of the day "
            "reach the cap",
            _AT_MIDNIGHT,
        ),
    ),
    RuleRow(
        rule=Rule.OVER_ESTIMATE,
        means="the owner's time on the job, over all timers and days, is at or over that owner's estimate",
        sentence="The estimated hours are used up.",
        zoho=ZohoAnswer(
            8005,
            by_verb(
                start=f"Error in adding/modifying Timelog.{_OVER_ESTIMATE}",
                pause=f"Error in pausing the Timer.{_OVER_ESTIMATE}",
                resume=f"Error in restarting the Timer.{_OVER_ESTIMATE}",
            ),
        ),
        native=422,
        modes=REFUSES_PAUSES,
        default="flag",
        presets={"zoho": "strict"},
        beside=(
            "The estimate of one owner and job: the fact `owner.estimate_set.v1`, in seconds.",
            "Without an estimate, or on a timer without a job, the rule is quiet.",
        ),
        finds=Finds(
            "at the press; while the timer runs, at the first microsecond at which the parts of all days reach the "
            "estimate",
            _WITH_INTERVAL,
        ),
    ),
    RuleRow(
        rule=Rule.OVERLAP,
        means="another timer of the owner runs, or the interval overlaps a closed one",
        sentence="Another timer of the owner runs.",
        zoho=ZohoAnswer(8005),
        native=409,  # it may be legal after another press
        modes=OVERLAPS,
        default="flag",
        finds=Finds(
            "at the first instant of the overlap; that of a refused press, at the press",
            "it has no end: both timers may be stopped at any time",
        ),
    ),
    RuleRow(
        rule=Rule.FUTURE_TIME,
        means="a time that the caller gave lies over 60 s in the future; up to 60 s, it is clamped and flagged",
        sentence="The time lies in the future.",
        zoho=ZohoAnswer(8001, everywhere("Cannot log time for a Future Date")),
        native=422,
        modes=REFUSES_PAUSES,
        default="strict",
        beside=("The 60 s are fixed.",),
        finds=Finds(
            "at the log time of the press; that of a work date to come, at the press",
            "it ends at the time that the caller gave; that of a work date to come ends at once, or never when the "
            "press was refused",
        ),
    ),
    RuleRow(
        rule=Rule.PAST_TIME,
        means="a start lies too far back or in a locked period, or a pause or stop adds time to a locked day",
        sentence="The time lies too far in the past.",
        zoho=ZohoAnswer(8001, everywhere("Cannot log time for a Past Date")),
        native=422,
        modes=REFUSES,
        default="off",
        limits=(
            Limit("rules.R15.max_backdate_seconds", "how far back a start may lie"),
            Limit("rules.R15.locked_before", "the first day that is not locked"),
        ),
        beside=(
            "An end that nobody pressed (an automatic stop, or a switch by R13) is not flagged.",
            "It marks the locked days to which it adds time, as a press does: those that are locked when it is told.",
        ),
        finds=Finds("at the press; of time added to locked days, where its interval begins", _LOCKED_END),
    ),
    RuleRow(
        rule=Rule.LONG_RUNNING,
        means="one interval is longer than it may be; the system can stop its timer at a limit",
        sentence="The timer ran for too long.",
        zoho=ZohoAnswer(8001),
        native=422,
        modes=FLAGS,
        default="flag",
        limits=(
            Limit("rules.R16.long_running_seconds", "the length at which an interval is flagged"),
            Limit("rules.R16.auto_close_seconds", "the length at which the system stops the timer, at that instant"),
        ),
        beside=("No preset has either limit: until the policy sets one, no interval is too long.",),
        finds=Finds("at the interval's start + `long_running_seconds`", _WITH_INTERVAL),
    ),
    RuleRow(
        rule=Rule.OVERFULL_DAY,
        means="all timers of the owner together hold more than the local day has hours: 24, or 23 or 25 on change days",
        sentence="The day has no more hours.",
        zoho=ZohoAnswer(8001),
        native=422,
        modes=FLAGS,
        default="flag",
        finds=Finds("at the first microsecond at which the parts of the day reach its length", _AT_MIDNIGHT),
    ),
    RuleRow(
        rule=Rule.LATE_PRESS,
        means="a press was recorded over 60 s after its time (labelled `late`), or its time lies over 1 s before the "
        "timer's last event (moved to that event)",
        sentence="The time lies before the timer's last event.",
        zoho=ZohoAnswer(8001),
        native=422,
        modes=FLAGS,
        default="flag",
        beside=("The 60 s and the 1 s are fixed.",),
        finds=Finds("at the time that the caller gave, when the press was moved", "it ends at the timer's last event"),
    ),
    RuleRow(
        rule=Rule.RATE_LIMITED,
        means="a caller sends more requests than the threshold of dialect B, or a client's limit in dialects A and C, "
        "allows",
        sentence="There were too many requests.",
        zoho=ZohoAnswer(7209, status=429),
        native=429,
        beside=("Threshold, lock and limits are the deployment's: the contract, sections 2 to 4.",),
    ),
    RuleRow(
        rule=Rule.OWNER_UNKNOWN,
        means="the owner is unknown or inactive, where a directory is configured",
        sentence="The owner is unknown or inactive.",
        zoho=ZohoAnswer(8001),
        native=422,
        modes=REFUSES_PAUSES,
        default="off",
        beside=("Of one owner: the fact `owner.profile_set.v1`, `active`.",),
        finds=Finds("at the press", _WITH_INTERVAL),
    ),
    RuleRow(
        rule=Rule.ID_TAKEN,
        means="the id that was drawn for a timer is taken; the API tries again with another, unseen by the caller",
        sentence="The request could not be recorded in time. Try again.",
        thebase=on_both(503),
        zoho=ZohoAnswer("SERVICE_UNAVAILABLE", status=503),
        native=503,
    ),
    RuleRow(
        rule=Rule.EXPIRED,
        means="the press was recorded after its expiry; the caller had heard 503",
        sentence="The request could not be recorded in time. Try again.",
        thebase=on_both(503),
        zoho=ZohoAnswer("SERVICE_UNAVAILABLE", status=503),
        native=503,
    ),
    RuleRow(
        rule=Rule.INTERNAL,
        means="the fold itself failed on the record, or the record is on the wrong partition; an alarm",
        sentence="Something went wrong on our side.",
        thebase=on_both(500),
        zoho=ZohoAnswer("INTERNAL_SERVER_ERROR", status=500),
        native=500,
    ),
    RuleRow(
        rule=Rule.KEY_REUSED,
        means="the `Idempotency-Key` was used before with another request",
        sentence="The Idempotency-Key was used for another request.",
        zoho=ZohoAnswer(8001),
        native=422,
        beside=("A key is known for 30 days.",),
    ),
)

_ROW_OF: Final[Mapping[Rule, RuleRow]] = MappingProxyType({row.rule: row for row in RULE_ROWS})


def row_of(rule: Rule) -> RuleRow:
    """Return the row of a rule. Each has one: a test looks."""
    return _ROW_OF[rule]
