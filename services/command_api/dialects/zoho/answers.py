"""The answers of dialect B: published messages and codes, in JSON or in XML, under HTTP 200 and 400.

Never: a message or a code that has "doc" beside it in docs/contract.md, section 3, or the spelling of one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from starlette.responses import Response

from services.command_api.desk.commands import Accepted, Asked, Dialect, StillWaiting
from services.command_api.dialects.jsontext import boolean, members, quoted
from services.command_api.dialects.malformed import Malformed
from shared.events.rules import Rule

Verb = Literal["start", "pause", "resume", "fetch"]
Value = str | int | bool
Fields = Sequence[tuple[str, Value]]

TIMER_URI: Final = "/api/timetracker/timer"
RUNNING_URI: Final = "/api/timetracker/getcurrentlyrunningtimer"

SUCCEEDED: Final[dict[Verb, str]] = {
    "start": "Timelog entry added Successfully",
    "pause": "Timer Paused successfully",
    "resume": "Timer resumed successfully",
    "fetch": "Running Timer information fetched successfully",
}
FAILED: Final[dict[Verb, str]] = {
    "start": "Error in adding timelog",
    "pause": "Error in pausing the timer",
    "resume": "Error in restarting the timer",
    "fetch": "Error in fetching the running timer",
}
_ALONE: Final = "Logged-in user alone can start timer"
_NOT_THE_OWNER: Final[dict[Verb, str]] = {
    "start": _ALONE,
    "pause": f"Error in pausing timer.{_ALONE}",
    "resume": f"Error in starting timer.{_ALONE}",
    "fetch": FAILED["fetch"],
}
_OVER: Final[dict[Verb, str]] = {
    "start": "Error in adding/modifying Timelog.",
    "pause": "Error in pausing the Timer.",
    "resume": "Error in restarting the Timer.",
    "fetch": "",
}
_OVER_CAP: Final = "Logged Hours is greater than maximum billable hours allowed per day"
_OVER_ESTIMATE: Final = "Logged Hours is greater than Estimated hours"
_BAD_TOKEN: Final = "The provided OAuth token is invalid"  # noqa: S105 - a message about a token
_STAY: Final = frozenset({401, 429, 503})
_DATES: Final = ("workDate", "dateFormat")

# Characters that XML 1.0 cannot write, not even as a reference.
_UNSAYABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Written as references. Otherwise a parser replaces a carriage return, and in attributes a tab or a newline.
_MARKUP: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in this dialect's words: the message by verb, and a code with its own text."""

    message: str
    code: int | str
    text: str
    status: int = 400
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """How one request is answered: for which resource and verb, and in which of the two formats."""

    uri: str
    verb: Verb
    xml: bool = False
    errors_as_200: bool = False
    dialect: Dialect = "zoho"

    def malformed(self, problem: Malformed) -> Response:
        """Answer a malformed request."""
        return self.fail(malformed(problem, self.verb))

    def refused(self, rule: Rule) -> Response:
        """Answer a refusal by a rule."""
        return self.fail(refused(rule, self.verb))

    def unavailable(self, retry_after_seconds: int = 1) -> Response:
        """Answer 503, in the verb's message."""
        return self.fail(unavailable(self.verb, retry_after_seconds))

    def accepted(self, _: Asked, accepted: Accepted) -> Response:
        """Answer a press that counts."""
        return self.succeed([("timeLogId", str(accepted.timer.id))] if self.verb == "start" else None)

    def waiting(self, _: Asked, __: StillWaiting) -> Response:
        """Answer 503 to a press that was not judged in time: this dialect has no 202."""
        return self.unavailable()

    def succeed(self, result: Fields | None = None) -> Response:
        """Answer 200. The result of a start is a list of one; the result of a fetch is an object."""
        message = SUCCEEDED[self.verb]
        if self.xml:
            return self._xml(200, 0, message, "" if result is None else f"\n<result>{_elements(result)}</result>")
        said = [("message", quoted(message)), ("uri", quoted(self.uri)), ("status", "0")]
        if result is not None:
            written = _object(result)
            said.insert(0, ("result", f"[{written}]" if self.verb == "start" else written))
        return Response(members(("response", members(*said))), 200, media_type="application/json")

    def fail(self, failure: Failure) -> Response:
        """Answer with an error."""
        # The statuses of `_STAY` are kept, because proxies and HTTP libraries act on them.
        http_status = 200 if self.errors_as_200 and failure.status not in _STAY else failure.status
        errors: Fields = [("code", failure.code), ("message", failure.text)]
        after = failure.retry_after_seconds
        headers = {} if after is None else {"Retry-After": str(after)}
        if failure.status == 401:  # noqa: PLR2004 - RFC 9110 requires a challenge with it
            headers["WWW-Authenticate"] = "Zoho-oauthtoken"
        if self.xml:
            written = f"\n<errors>{_elements(errors)}</errors>"
            return self._xml(http_status, 1, failure.message, written, headers)
        said = members(
            ("message", quoted(failure.message)),
            ("uri", quoted(self.uri)),
            ("errors", _object(errors)),
            ("status", "1"),
        )
        return Response(members(("response", said)), http_status, headers, "application/json")

    def _xml(
        self, http_status: int, status: int, message: str, rest: str, headers: dict[str, str] | None = None
    ) -> Response:
        # Line by line, like the published sample.
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<response uri="{self.uri}">\n'
            f"<status>{status}</status>\n"
            f"<message>{xml_text(message)}</message>{rest}\n"
            "</response>"
        )
        return Response(body, http_status, headers, "application/xml")


def xml_text(text: str) -> str:
    """Return `text` as XML 1.0 may contain it: markup escaped, forbidden characters dropped."""
    return _UNSAYABLE.sub("", text).translate(_MARKUP)


def _elements(fields: Fields) -> str:
    return "".join(f"<{name}>{xml_text(_plain(value))}</{name}>" for name, value in fields)


def _object(fields: Fields) -> str:
    return members(*((name, quoted(value) if isinstance(value, str) else _plain(value)) for name, value in fields))


def _plain(value: Value) -> str:
    return boolean(value) if isinstance(value, bool) else str(value)


def malformed(problem: Malformed, verb: Verb) -> Failure:
    """Word a malformed request. On a start, a malformed date has a code of its own."""
    if verb == "start" and problem.rule is Rule.VALUE_INVALID and problem.parameter in _DATES:
        return Failure(FAILED[verb], 8002, "Wrong format for parameter")
    return refused(problem.rule, verb)


def unavailable(verb: Verb, retry_after_seconds: int = 1) -> Failure:
    """Word a 503: no change is known to have been made."""
    return Failure(FAILED[verb], "SERVICE_UNAVAILABLE", "Please try after some time", 503, retry_after_seconds)


def refused(rule: Rule, verb: Verb) -> Failure:  # noqa: C901, PLR0912 - one line for each rule that has its own words
    """Word a refusal by a rule."""
    match rule:
        case Rule.TOKEN_UNKNOWN:
            return Failure(_BAD_TOKEN, "INVALID_OAUTHTOKEN", _BAD_TOKEN, 401)
        case Rule.PARAMETER_MISSING:
            return Failure(FAILED[verb], 8000, "No parameter specified")
        case Rule.NOT_THE_OWNER:
            return Failure(_NOT_THE_OWNER[verb], 7038, "Permission denied")
        case Rule.TIMERS_DISABLED | Rule.OVERLAP:
            return _disabled(FAILED[verb])
        case Rule.DAY_OFF:
            return _day_off(FAILED[verb])
        case Rule.OUTSIDE_ATTENDANCE:
            return _day_off("Cannot log time beyond attendance hours")
        case Rule.OVER_DAILY_CAP:
            return _disabled(_OVER[verb] + _OVER_CAP)
        case Rule.OVER_ESTIMATE:
            return _disabled(_OVER[verb] + _OVER_ESTIMATE)
        case Rule.FUTURE_TIME:
            return _wrong_value("Cannot log time for a Future Date")
        case Rule.PAST_TIME:
            return _wrong_value("Cannot log time for a Past Date")
        case Rule.RATE_LIMITED:
            text = "API access blocked since threshold limit exceeded. Please try after some time"
            return Failure(FAILED[verb], 7209, text, 429)
        case Rule.ID_TAKEN | Rule.EXPIRED:
            return unavailable(verb)
        case Rule.INTERNAL:
            return Failure(FAILED[verb], "INTERNAL_SERVER_ERROR", "Something went wrong on our side", 500)
        case (
            Rule.VALUE_INVALID
            | Rule.TEXT_TOO_LONG
            | Rule.TIMER_UNKNOWN
            | Rule.NOT_LEGAL_NOW
            | Rule.LONG_RUNNING
            | Rule.OVERFULL_DAY
            | Rule.LATE_PRESS
            | Rule.OWNER_UNKNOWN
            | Rule.KEY_REUSED
        ):
            return _wrong_value(FAILED[verb])
        case _:
            assert_never(rule)


def _wrong_value(message: str) -> Failure:
    return Failure(message, 8001, "Wrong value for parameter")


def _disabled(message: str) -> Failure:
    return Failure(message, 8005, "Timer is disabled in Settings. Contact your Administrator")


def _day_off(message: str) -> Failure:
    return Failure(message, 8008, "Cannot log time during Weekend/Holidays/Leave")
