"""Requests: an ordinary press in each dialect that is spoken over HTTP, and what makes it."""

from collections.abc import Mapping
from typing import Any, Final

from tests.support.fakes.desks import LONG, SHORT

A_START: Final[dict[str, Any]] = {"method": "POST", "url": "/v2/timer/start", "json": {"owner": "7"}}
A_STOP: Final[dict[str, Any]] = {"method": "PUT", "url": f"/v2/timer/{LONG}"}
B_TIMER: Final[dict[str, Any]] = {"method": "POST", "url": "/people/api/timetracker/timer"}
B_START: Final = {
    "user": "dana",
    "jobId": "J-1",
    "workDate": "2026-03-01",
    "billingStatus": "billable",
    "timer": "start",
}
B_PAUSE: Final = {"timeLogId": str(SHORT), "timer": "stop"}
B_RESUME: Final = {"timeLogId": str(SHORT), "timer": "start"}
C_START: Final[dict[str, Any]] = {"method": "POST", "url": "/v1/timers", "json": {"owner": "dana"}}


def c_press(verb: str) -> dict[str, Any]:
    return {"method": "POST", "url": f"/v1/timers/{LONG}/{verb}"}


GOOD: Final[Mapping[tuple[str, str], dict[str, Any]]] = {
    ("thebase", "start"): A_START,
    ("thebase", "stop"): A_STOP,
    ("zoho", "start"): B_TIMER | {"data": B_START},
    ("zoho", "pause"): B_TIMER | {"data": B_PAUSE},
    ("zoho", "resume"): B_TIMER | {"data": B_RESUME},
    ("native", "start"): C_START,
    ("native", "pause"): c_press("pause"),
    ("native", "resume"): c_press("resume"),
    ("native", "stop"): c_press("stop"),
}
