"""The answers of dialect B: published messages and codes, in JSON or in XML, under HTTP 200 and 400.

Never: a message or a code that has "doc" beside it in docs/contract.md, section 3, or the spelling of one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from starlette.responses import Response

from services.command_api.desk.commands import Accepted, Asked, Dialect, Refused, StillWaiting
from services.command_api.dialects.jsontext import written
from services.command_api.dialects.malformed import Malformed
from shared.events.rule_rows import ZOHO_FAILED, ZOHO_TEXTS, ZohoCode
from shared.events.rule_table import row_of
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
_UNAVAILABLE: Final = 503
_STAY: Final = frozenset({401, 429, _UNAVAILABLE})
_DATES: Final = ("workDate", "dateFormat")

# Characters that XML 1.0 cannot write, not even as a reference.
_UNSAYABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Written as references. Otherwise a parser replaces a carriage return, and in attributes a tab or a newline.
_MARKUP: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in this dialect's words: the message by verb, and a code with its own text."""

    message: str
    code: ZohoCode
    text: str
    status: int = 400
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
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

    def over_threshold(self, retry_after_seconds: int) -> Response:
        """Answer 429 to a caller that is locked out."""
        return self.fail(replace(refused(Rule.RATE_LIMITED, self.verb), retry_after_seconds=retry_after_seconds))

    def unavailable(self, retry_after_seconds: int = 1) -> Response:
        """Answer 503, in the verb's message."""
        return self.fail(unavailable(self.verb, retry_after_seconds))

    def for_readers(self) -> Response:
        """Answer a reader that presses."""
        return self.refused(Rule.NOT_THE_OWNER)

    def accepted(self, _: Asked, accepted: Accepted) -> Response:
        """Answer a press that counts."""
        return self.succeed([("timeLogId", str(accepted.timer.id))] if self.verb == "start" else None)

    def refused_press(self, _: Asked, judged: Refused) -> Response:
        """Answer a press that was judged and refused."""
        return self.refused(judged.rule)

    def waiting(self, _: Asked, __: StillWaiting) -> Response:
        """Answer 503 to a press that was not judged in time: this dialect has no 202."""
        return self.unavailable()

    def succeed(self, result: Fields | None = None) -> Response:
        """Answer 200. The result of a start is a list of one; the result of a fetch is an object."""
        message = SUCCEEDED[self.verb]
        if self.xml:
            return self._xml(200, 0, message, "" if result is None else f"\n<result>{_elements(result)}</result>")
        content: dict[str, object] = {"message": message, "uri": self.uri, "status": 0}
        if result is not None:
            content = {"result": [dict(result)] if self.verb == "start" else dict(result)} | content
        return Response(written({"response": content}), 200, media_type="application/json")

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
            return self._xml(http_status, 1, failure.message, f"\n<errors>{_elements(errors)}</errors>", headers)
        content = {"message": failure.message, "uri": self.uri, "errors": dict(errors), "status": 1}
        return Response(written({"response": content}), http_status, headers, "application/json")

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


def _plain(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def malformed(problem: Malformed, verb: Verb) -> Failure:
    """Word a malformed request. On a start, a malformed date has a code of its own."""
    of_a_date = row_of(problem.rule).zoho.code_of_a_date
    if verb == "start" and of_a_date is not None and problem.parameter in _DATES:
        return Failure(ZOHO_FAILED[verb], of_a_date, ZOHO_TEXTS[of_a_date])
    return refused(problem.rule, verb)


def unavailable(verb: Verb, retry_after_seconds: int = 1) -> Failure:
    """Word a 503: no change is known to have been made."""
    code = "SERVICE_UNAVAILABLE"
    return Failure(ZOHO_FAILED[verb], code, ZOHO_TEXTS[code], _UNAVAILABLE, retry_after_seconds)


def refused(rule: Rule, verb: Verb) -> Failure:
    """Word a refusal by a rule."""
    answer = row_of(rule).zoho
    retry_after_seconds = 1 if answer.status == _UNAVAILABLE else None
    return Failure(answer.messages[verb], answer.code, ZOHO_TEXTS[answer.code], answer.status, retry_after_seconds)
