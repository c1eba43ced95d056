"""Reasons: each rule in a sentence, for the dialects without published words of their own (A and C)."""

from typing import assert_never

from services.command_api.dialects.malformed import Malformed
from shared.events.rules import Rule


def sentence(rule: Rule) -> str:  # noqa: C901, PLR0912 - one line for each rule there is
    """Explain the rule to the caller that broke it. Nothing of the request is repeated."""
    match rule:
        case Rule.TOKEN_UNKNOWN:
            return "The access token is missing, unknown or expired."
        case Rule.PARAMETER_MISSING:
            return "A mandatory parameter is missing or empty."
        case Rule.VALUE_INVALID:
            return "A value is not valid."
        case Rule.TEXT_TOO_LONG:
            return "A text is too long."
        case Rule.TIMER_UNKNOWN:
            return "There is no such timer."
        case Rule.NOT_THE_OWNER:
            return "Only the owner may do this."
        case Rule.NOT_LEGAL_NOW:
            return "The timer's state does not allow this."
        case Rule.TIMERS_DISABLED:
            return "Timers are disabled."
        case Rule.DAY_OFF:
            return "The day is a weekend, a holiday or a leave."
        case Rule.OUTSIDE_ATTENDANCE:
            return "The time is outside the attendance hours."
        case Rule.OVER_DAILY_CAP:
            return "The billable hours of the day are used up."
        case Rule.OVER_ESTIMATE:
            return "The estimated hours are used up."
        case Rule.OVERLAP:
            return "Another timer of the owner runs."
        case Rule.FUTURE_TIME:
            return "The time lies in the future."
        case Rule.PAST_TIME:
            return "The time lies too far in the past."
        case Rule.LONG_RUNNING:
            return "The timer ran for too long."
        case Rule.OVERFULL_DAY:
            return "The day has no more hours."
        case Rule.LATE_PRESS:
            return "The time lies before the timer's last event."
        case Rule.RATE_LIMITED:
            return "There were too many requests."
        case Rule.OWNER_UNKNOWN:
            return "The owner is unknown or inactive."
        case Rule.ID_TAKEN | Rule.EXPIRED:
            return "The request could not be recorded in time. Try again."
        case Rule.INTERNAL:
            return "Something went wrong on our side."
        case Rule.KEY_REUSED:
            return "The Idempotency-Key was used for another request."
        case _:
            assert_never(rule)


def sentence_about(malformed: Malformed) -> str:
    """Say which parameter is wrong, and why."""
    if malformed.sentence is not None:
        return malformed.sentence
    match malformed.rule:
        case Rule.PARAMETER_MISSING:
            return f"{malformed.parameter} is mandatory."
        case Rule.VALUE_INVALID:
            return f"{malformed.parameter} is not valid."
        case Rule.TEXT_TOO_LONG:
            return f"{malformed.parameter} is too long."
        case _:
            assert_never(malformed.rule)


def too_long_ago(days_max: int) -> str:
    """Say how far back an interval may begin in this deployment."""
    return f"The time lies more than {days_max} days in the past, which is the most that this deployment takes."
