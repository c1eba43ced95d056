"""Reasons: what is wrong in a sentence, for the dialects without published words of their own (A and C)."""

from typing import Final

from services.command_api.dialects.malformed import Malformed
from shared.events.rule_table import row_of
from shared.events.rules import Rule

READERS_PRESS_NOTHING: Final = "A client with the role reader may not press."


def sentence(rule: Rule) -> str:
    """Explain the rule to the caller that broke it. Nothing of the request is repeated."""
    return row_of(rule).sentence


def sentence_about(malformed: Malformed) -> str:
    """Say which parameter is wrong, and why."""
    if malformed.sentence is not None:
        return malformed.sentence
    about = row_of(malformed.rule).about
    return sentence(malformed.rule) if about is None else about.format(parameter=malformed.parameter)


def too_long_ago(days_max: int) -> str:
    """Say how far back an interval may begin in this deployment."""
    return f"The time lies more than {days_max} days in the past, which is the most that this deployment takes."
