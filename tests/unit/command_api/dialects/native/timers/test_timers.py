"""Dialect C: the list of timers, and the timers that an owner has now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest

from services.command_api.desk.questions import TimerFilter, TimerKey
from services.command_api.desk.rows import TimerRow
from shared.events.outcome import State
from tests.support.fakes.desks import DANA, LONG, NOON, SHORT, Clerk
from tests.unit.command_api.dialects.native.timers.rows import ROW

TOLD = (
    f'{{"items":[{{"id":"{LONG}","timelog_id":"{SHORT}","owner":"dana","account_id":"77","job_id":null,'
    '"project_id":null,"billable":true,"work_date":null,"reference":"crm/7","state":"PAUSED",'
    '"started_at":"2026-03-01T12:00:00.000000Z","stopped_at":null,"total_seconds":60.0005,"total_minutes":"1.0",'
    '"flags":["R13","late"],"position":"3:42","comment":"שלום","work_item":null}],"next_cursor":null}'
)
CURRENT = "/v1/owners/dana/current"


def rows(count: int) -> list[TimerRow]:
    return [replace(ROW, started_at=NOON - timedelta(hours=n)) for n in range(count)]


async def asked(clerk: Clerk, query: str = "", path: str = "/v1/timers", **headers: str) -> httpx.Response:
    async with clerk.client() as client:
        return await client.get(f"{path}?{query}", headers=headers)


async def refusal(query: str) -> tuple[int, str, str]:
    clerk = Clerk()
    answer = await asked(clerk, query)
    assert clerk.asked == []
    return answer.status_code, answer.json()["rule"], answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/timers", CURRENT])
async def test_a_listed_timer_has_its_texts_and_no_intervals(path: str) -> None:
    answer = await asked(Clerk(timer_rows=[ROW]), path=path)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, "application/json", TOLD)


async def test_without_filters_a_machine_asks_for_all_of_its_tenant() -> None:
    clerk = Clerk()
    answer = await asked(clerk, "owner=&state=&from=&to=&account=&job=&reference=&flag=&cursor=&limit=")
    assert answer.text == '{"items":[],"next_cursor":null}'
    assert clerk.asked == [("timers", "acme", TimerFilter(), None, 100)]


async def test_every_filter_is_passed_on() -> None:
    clerk = Clerk()
    filters = "owner=noa&state=RUNNING&account=A&job=J&reference=crm/7&flag=late&from=2026-03-27&to=2026-03-27"
    await asked(clerk, f"{filters}&limit=7")
    since, until = datetime(2026, 3, 26, 22, tzinfo=UTC), datetime(2026, 3, 27, 21, tzinfo=UTC)
    told = TimerFilter("noa", State.RUNNING, "A", "J", "crm/7", "late", since, until)
    assert clerk.asked == [("timers", "acme", told, None, 7)]


@pytest.mark.parametrize("flag", ["R13", "zone_assumed"])
async def test_a_flag_is_a_rule_or_a_label(flag: str) -> None:
    assert (await asked(Clerk(), f"flag={flag}")).status_code == 200


NAMES = "owner, state, from, to, account, job, reference, flag, cursor, limit"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("state=running", "state must be one of RUNNING, PAUSED, STOPPED."),
        ("flag=overlap", "flag must be the id of a rule, such as R13, or late or zone_assumed."),
        ("limit=1001", "limit must be a number from 1 to 1000."),
        ("from=2026-03-02&to=2026-03-01", "from must lie before to."),
        ("account_id=7", f"query may have these parameters only: {NAMES}. It has account_id."),
        ("owner=dana&owner=noa", "query is not UTF-8, or has a parameter twice."),
        ("cursor=x", "cursor is none that this call gave: begin again without one."),
    ],
)
async def test_a_malformed_question_says_what_to_write_instead(query: str, detail: str) -> None:
    assert await refusal(query) == (400, "R03", detail)


@pytest.mark.parametrize("name", ["owner", "account", "job", "reference"])
async def test_a_name_may_have_128_characters(name: str) -> None:
    assert await refusal(f"{name}={'x' * 129}") == (400, "R04", f"{name} is too long.")
    assert (await asked(Clerk(), f"{name}={'x' * 128}")).status_code == 200


async def test_a_cursor_goes_on_after_the_last_timer_of_its_page() -> None:
    clerk = Clerk(timer_rows=rows(3))
    first = (await asked(clerk, "job=J&limit=2")).json()
    assert len(first["items"]) == 2
    clerk.timer_rows = rows(1)
    last = await asked(clerk, f"job=J&limit=5&cursor={first['next_cursor']}")
    assert (last.status_code, last.json()["next_cursor"]) == (200, None)
    after = TimerKey(NOON - timedelta(hours=1), SHORT)
    assert clerk.asked[-1] == ("timers", "acme", TimerFilter(job_id="J"), after, 5)


async def test_a_page_that_found_nothing_so_far_has_a_cursor_all_the_same() -> None:
    reached = TimerKey(NOON - timedelta(days=9), SHORT + 7)
    page = (await asked(Clerk(looked_until=reached), "flag=R13")).json()
    assert page["items"] == []
    clerk = Clerk(timer_rows=rows(1))
    last = (await asked(clerk, f"flag=R13&cursor={page['next_cursor']}")).json()
    assert (len(last["items"]), last["next_cursor"]) == (1, None)
    assert clerk.asked[-1] == ("timers", "acme", TimerFilter(flag="R13"), reached, 100)


FILTERS = "owner=noa&state=STOPPED&account=A&job=J&reference=r&flag=late&from=2026-03-01&to=2026-03-02"


@pytest.mark.parametrize(
    "query",
    ["", *(FILTERS.replace(said, "") for said in FILTERS.split("&")), FILTERS.replace("STOPPED", "PAUSED")],
)
async def test_a_cursor_with_other_filters_is_400(query: str) -> None:
    given = (await asked(Clerk(timer_rows=rows(2)), f"{FILTERS}&limit=1")).json()["next_cursor"]
    assert (await asked(Clerk(), f"{FILTERS}&cursor={given}")).status_code == 200
    assert (await refusal(f"{query}&cursor={given}"))[2].startswith("cursor was given with other filters")


async def test_a_cursor_of_findings_is_none_of_timers() -> None:
    clerk = Clerk(timer_rows=rows(2))
    given = (await asked(clerk, "limit=1")).json()["next_cursor"]
    assert (await asked(Clerk(), f"cursor={given}", "/v1/violations")).status_code == 400


async def test_a_person_sees_only_their_own_timers() -> None:
    clerk = Clerk(caller=DANA)
    assert (await asked(clerk)).status_code == 200
    assert (await asked(clerk, path=CURRENT)).status_code == 200
    own = TimerFilter(owner="dana")
    assert clerk.asked == [("timers", "acme", own, None, 100), ("current", "acme", "dana", 1000)]
    for foreign in (await asked(clerk, "owner=noa"), await asked(clerk, path="/v1/owners/noa/current")):
        assert (foreign.status_code, foreign.json()["detail"]) == (404, "There is no such owner.")
    assert len(clerk.asked) == 2


async def test_current_takes_no_parameters_and_a_sane_owner() -> None:
    filtered = await asked(Clerk(), "state=RUNNING", CURRENT)
    assert (filtered.status_code, filtered.json()["detail"]) == (400, "This call takes no query parameters.")
    assert (await asked(Clerk(), path=f"/v1/owners/{'x' * 129}/current")).status_code == 400
    assert (await asked(Clerk(), path="/v1/owners/%00/current")).status_code == 400


@pytest.mark.parametrize("path", ["/v1/timers", CURRENT])
async def test_lists_wait_for_a_position_and_are_503_without_postgres(path: str) -> None:
    clerk = Clerk()
    assert (await asked(clerk, path=path, **{"X-Min-Position": "3:42"})).status_code == 200
    assert clerk.asked[0] == ("wait_for", "acme", 3, 42, 2.0)
    for clerk in (Clerk(fresh=False), Clerk(away=True)):
        answer = await asked(clerk, path=path, **{"X-Min-Position": "3:42"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_list_without_a_policy_is_503() -> None:
    """A filter may name a day, which is one of the tenant's zone."""
    assert (await asked(Clerk(policy=None))).status_code == 503
