"""What may stand in each parameter of dialect C: the `detail` of R03 where the reader of a value gave no sentence.

Here and not at the readers, because dialects A and D share those, and say "… is not valid." as they always did.
"""

from collections.abc import Mapping
from typing import Final

from services.command_api.dialects.headers import KEY_LENGTH_MAX
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.owners.reading import ALIASES_MAX, SECONDS_MAX
from services.command_api.dialects.reasons import sentence_about
from services.command_api.dialects.values import NAME_LENGTH_MAX
from shared.events.ids import ID_EPOCH
from shared.events.rules import Rule

_MOMENT: Final = "a moment with an offset, such as 2026-04-02T09:00:00+03:00"
_DAY: Final = "a day, such as 2026-04-02"
_YES_OR_NO: Final = "true or false"
_NAME: Final = "a text without U+0000, or a whole number from 0 to 2^128 - 1"
_TEXT: Final = "a text without U+0000"

MAY_BE: Final[Mapping[str, str]] = {
    "at": f"{_MOMENT}; a timer starts on {ID_EPOCH.date()} or later",
    "work_date": _DAY,
    "billable": _YES_OR_NO,
    "owner": _NAME,
    "account_id": _NAME,
    "job_id": _NAME,
    "project_id": _NAME,
    "comment": _TEXT,
    "work_item": _TEXT,
    "reference": f"1 to {NAME_LENGTH_MAX} characters, none of them a control character",
    "reason": "1 to 32 of the letters A to Z and a to z, digits, - and _",
    "body": "a JSON object in UTF-8 that has no member twice",
    "Idempotency-Key": f"given once, with 1 to {KEY_LENGTH_MAX} printable ASCII characters",
    "X-Min-Position": "given once, as a position on a partition that there is, such as 3:42",
    "zone": "the name of a time zone, such as Asia/Jerusalem",
    "timers_disabled": _YES_OR_NO,
    "active": _YES_OR_NO,
    "aliases": f"a list of up to {ALIASES_MAX} texts of 1 to {NAME_LENGTH_MAX} characters",
    "day": _DAY,
    "checked_in_at": _MOMENT,
    "checked_out_at": _MOMENT,
    "on": _DAY,
    "job": _TEXT,
    "account": _TEXT,
    "seconds": f"a whole number from 0 to {SECONDS_MAX}",
}


def detail(problem: Malformed) -> str:
    """Say which parameter is wrong, and what may stand there."""
    if problem.members is not None:
        names = ", ".join(problem.members)
        has = "" if problem.unknown is None else f" It has {problem.unknown}."
        may_be = f"may have these members only: {names}" if names else "must be empty, or an empty object"
        return f"body {may_be}.{has}"
    if problem.rule is Rule.VALUE_INVALID and problem.sentence is None and problem.parameter in MAY_BE:
        return f"{problem.parameter} must be {MAY_BE[problem.parameter]}."
    return sentence_about(problem)
