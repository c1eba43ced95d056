"""Dialect A's list of open timers."""

from datetime import UTC, datetime

import pytest

from services.command_api.desk.rows import OpenTimer
from tests.support.fakes.desks import DANA, LONG, SHORT, Clerk


def _open(count: int) -> list[OpenTimer]:
    at = datetime(2021, 9, 22, 16, 33, 8, 999_999, tzinfo=UTC)
    return [OpenTimer(SHORT + n, None, at, None if n else 'say "hi"') for n in range(count)]


async def test_the_list_of_open_timers_is_answered_as_printed() -> None:
    async with Clerk(open=_open(1)).client() as client:
        answer = await client.get("/v2/timer/open")
    assert answer.text == (
        f'{{"items":[{{"id":"{LONG}","account_id":null,"start_time":"2021-09-22T16:33:08Z","comment":"say \\"hi\\""}}],'
        '"hasMore":false,"limit":25,"offset":0,"count":1,"links":[{"rel":"self","href":"/v2/timer/open?limit=25&offset=0"},'
        '{"rel":"first","href":"/v2/timer/open?limit=25&offset=0"}]}'
    )


async def test_pages_are_linked_in_both_directions() -> None:
    async with Clerk(open=_open(5)).client() as client:
        page = (await client.get("/v2/timer/open?limit=2&offset=1")).json()
    assert (page["count"], page["hasMore"], len(page["items"])) == (2, True, 2)
    assert {link["rel"]: link["href"].partition("?")[2] for link in page["links"]} == {
        "self": "limit=2&offset=1",
        "first": "limit=2&offset=0",
        "next": "limit=2&offset=3",
        "prev": "limit=2&offset=0",
    }


@pytest.mark.parametrize("query", ["limit=5", "limit=2&offset=3"])
async def test_a_last_page_that_is_exactly_full_has_no_next(query: str) -> None:
    async with Clerk(open=_open(5)).client() as client:
        page = (await client.get(f"/v2/timer/open?{query}")).json()
    assert (page["count"], page["hasMore"]) == (page["limit"], False)
    assert "next" not in {link["rel"] for link in page["links"]}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "offset=-1",
        "offset=1.0",
        "limit=1&limit=2",
        "offset=" + "9" * 40,
    ],
)
async def test_a_malformed_page_is_400(query: str) -> None:
    async with Clerk().client() as client:
        assert (await client.get(f"/v2/timer/open?{query}")).status_code == 400


async def test_a_persons_token_lists_only_that_persons_timers() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        await client.get("/v2/timer/open")
    assert clerk.asked == [("open_timers", "acme", 25, 0, "dana")]


async def test_a_read_without_postgres_or_behind_its_position_is_503() -> None:
    async with Clerk(away=True).client() as client:
        away = await client.get("/v2/timer/open")
    async with Clerk(fresh=False).client() as client:
        behind = await client.get("/v2/timer/open", headers={"X-Min-Position": "3:42"})
    assert [(a.status_code, a.headers["retry-after"]) for a in (away, behind)] == [(503, "1"), (503, "1")]
