"""The requests of dialect B: parameters, from their text to a command, and the format of the answer.

With care: the order of dispatch, because each step has a code of its own.
"""

from collections.abc import Mapping
from typing import Final, Literal

from starlette.requests import Request

from services.command_api.desk.commands import Command, PressTimer, StartTimer
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.parameters import Parameters
from services.command_api.dialects.values import NAME_LENGTH_MAX, WORK_ITEM_LENGTH_MAX
from services.command_api.dialects.zoho.answers import Verb
from services.command_api.dialects.zoho.dates import DEFAULT_FORMAT, parse_date
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule
from shared.process.http.accept import weights_of

DESCRIPTION_LENGTH_MAX: Final = 250

# The words of the published page, other spellings that clients use, and the numbers that they send.
_BILLABLE: Final = {
    "billable": True,
    "1": True,
    "non-billable": False,
    "nonbillable": False,
    "non billable": False,
    "0": False,
}
_MANDATORY: Final = ("user", "jobId", "workDate", "billingStatus")
# `dateFormat` is not among them: clients send it with every press, so it does not make one a start.
_ONLY_A_STARTS: Final = frozenset({*_MANDATORY, "projectId", "description", "workItem"})
_LENGTHS_MAX: Final = {
    "user": NAME_LENGTH_MAX,
    "jobId": NAME_LENGTH_MAX,
    "projectId": NAME_LENGTH_MAX,
    "description": DESCRIPTION_LENGTH_MAX,
    "workItem": WORK_ITEM_LENGTH_MAX,
}

_XML: Final = frozenset({"application/xml", "text/xml"})
_JSON: Final = "application/json"
# The header that most callers send. A tie stays JSON.
_ANYTHING: Final = frozenset({"", "*/*", _JSON})

Given = Mapping[str, str]


def verb_of(params: Parameters) -> Verb:
    """Return the verb by which a failure is worded, even when the parameters name no verb."""
    match params.given.get("timer"), "timeLogId" in params.named:
        case "stop", _:
            return "pause"
        case "start", True:
            return "resume"
        case _:
            return "start"


def read_command(given: Given) -> Command | Malformed | Rule:
    """Translate the parameters of a press. The owner of a start is `user` as given, which may be an alias."""
    match given.get("timer"), given.get("timeLogId"):
        case None, _:
            return Malformed(Rule.PARAMETER_MISSING, "timer")
        case "start", None:
            return _read_start(given)
        case "stop", None:
            return Malformed(Rule.PARAMETER_MISSING, "timeLogId")
        case "start" | "stop", str() if not _ONLY_A_STARTS.isdisjoint(given):
            return Malformed(Rule.VALUE_INVALID, "timeLogId")  # which of two timers is meant?
        case "start", str(spelt):
            return _read_press("resume", spelt)
        case "stop", str(spelt):
            return _read_press("pause", spelt)
        case _:
            return Malformed(Rule.VALUE_INVALID, "timer")


def _read_press(verb: Literal["pause", "resume"], spelt: str) -> PressTimer | Rule:
    timer_id = parse_timer_id(spelt)
    return Rule.TIMER_UNKNOWN if timer_id is None else PressTimer(verb, timer_id)


def _read_start(given: Given) -> StartTimer | Malformed:
    for name in _MANDATORY:
        if name not in given:
            return Malformed(Rule.PARAMETER_MISSING, name)
    work_date = parse_date(given["workDate"], given.get("dateFormat", DEFAULT_FORMAT))
    if work_date is None:
        return Malformed(Rule.VALUE_INVALID, "workDate")
    billable = _BILLABLE.get(given["billingStatus"].casefold())
    if billable is None:
        return Malformed(Rule.VALUE_INVALID, "billingStatus")
    for name, length_max in _LENGTHS_MAX.items():
        if len(given.get(name, "")) > length_max:
            return Malformed(Rule.TEXT_TOO_LONG, name)
    return StartTimer(
        owner=given["user"],
        job_id=given["jobId"],
        project_id=given.get("projectId"),
        billable=billable,
        work_date=work_date,
        comment=given.get("description"),
        work_item=given.get("workItem"),
    )


def wants_xml(request: Request, format_: str | None) -> bool:
    """Return whether to answer in XML: by the parameter `format`, else by an Accept that prefers XML to JSON."""
    if format_ in {"xml", "json"}:
        return format_ == "xml"
    accept = ",".join(request.headers.getlist("accept"))
    if accept in _ANYTHING:
        return False
    ranges = weights_of(request)
    return max(_weight(kind, ranges) for kind in _XML) > _weight(_JSON, ranges)


def _weight(kind: str, ranges: Mapping[str, float]) -> float:
    """Return the weight of a type: the most specific range that matches it counts (RFC 9110, 12.5.1)."""
    for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0
