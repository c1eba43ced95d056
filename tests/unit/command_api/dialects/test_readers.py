"""A reader: it reads all of its tenant, and presses nothing, in any dialect."""

from typing import Any, Final

import pytest

from services.command_api.desk.commands import Caller
from tests.support.fakes.desks import LONG, SHORT, Clerk

READER: Final = Caller("acme", "payroll", "reader")
B_START: Final = {
    "user": "dana",
    "jobId": "J-1",
    "workDate": "2026-03-01",
    "billingStatus": "billable",
    "timer": "start",
}
TIMER: Final = "/people/api/timetracker/timer"

PRESSES: Final[list[tuple[str, str, dict[str, Any], int]]] = [
    ("POST", "/v1/timers", {"json": {"owner": "dana"}}, 403),
    ("POST", f"/v1/timers/{LONG}/pause", {}, 403),
    ("POST", f"/v1/timers/{LONG}/resume", {}, 403),
    ("POST", f"/v1/timers/{LONG}/stop", {}, 403),
    ("POST", "/v2/timer/start", {"json": {"owner": "7"}}, 400),
    ("PUT", f"/v2/timer/{LONG}", {}, 400),
    ("POST", TIMER, {"data": B_START}, 400),
    ("POST", TIMER, {"data": {"timeLogId": str(SHORT), "timer": "stop"}}, 400),
    ("POST", TIMER, {"data": {"timeLogId": str(SHORT), "timer": "start"}}, 400),
]
STATEMENTS: Final[list[tuple[str, str, dict[str, Any]]]] = [
    ("PUT", "/v1/policy", {"json": {}}),
    ("PUT", "/v1/owners/dana", {"json": {"active": True}}),
    ("PUT", "/v1/owners/dana/leave/2026-03-01", {}),
    ("POST", "/v1/owners/dana/attendance", {"json": {}}),
    ("PUT", "/v1/owners/dana/estimates/J-1", {"json": {"seconds": 60}}),
    ("DELETE", "/v1/owners/dana/texts", {}),
]


@pytest.mark.parametrize(("method", "path", "said", "status"), PRESSES)
async def test_a_reader_presses_nothing(method: str, path: str, said: dict[str, Any], status: int) -> None:
    clerk = Clerk(caller=READER)
    async with clerk.client() as client:
        answer = await client.request(method, path, **said)
    assert (answer.status_code, clerk.submitted) == (status, [])
    if path.startswith("/v1"):
        assert answer.json()["rule"] == "R06"
    if path == TIMER:
        assert answer.json()["response"]["errors"] == {"code": 7038, "message": "Permission denied"}


@pytest.mark.parametrize(("method", "path", "said"), STATEMENTS)
async def test_a_reader_states_nothing(method: str, path: str, said: dict[str, Any]) -> None:
    clerk = Clerk(caller=READER)
    async with clerk.client() as client:
        answer = await client.request(method, path, **said)
    assert (answer.status_code, answer.json()["rule"], clerk.submitted) == (403, "R06", [])


@pytest.mark.parametrize(
    "path", ["/v2/timer/open", "/v1/violations", "/v1/owners/dana/days?from=2026-03-01&to=2026-03-02"]
)
async def test_a_reader_reads(path: str) -> None:
    async with Clerk(caller=READER).client() as client:
        assert (await client.get(path)).status_code == 200


def test_no_event_can_have_the_role_of_a_reader() -> None:
    """If a dialect forgot to refuse, the press would be a bug of ours, and not an event."""
    with pytest.raises(ValueError, match="presses nothing"):
        _ = READER.presses_as
