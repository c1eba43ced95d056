"""Dialect C: the list of findings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest
from asyncpg.pgproto import pgproto

from services.command_api.desk.questions import ViolationFilter, ViolationKey
from services.command_api.desk.rows import ViolationRow
from shared.events.rules import Rule
from tests.support.fakes.desks import DANA, EVENT_ID, LONG, NOON, SHORT, Clerk

VIOLATIONS = "/v1/violations"
ENDED = ViolationRow(
    timer_id=SHORT,
    owner="dana",
    rule="R18",
    from_at=NOON,
    to_at=NOON + timedelta(minutes=1, microseconds=500),
    amount_us=60_000_500,
    refused=False,
    event_id=EVENT_ID,
    policy_revision=7,
)
OPEN = replace(
    ENDED,
    owner="noa",
    rule="R13",
    to_at=None,
    amount_us=None,
    refused=True,
    event_id=pgproto.UUID(str(EVENT_ID)),  # what a row of the table has
    policy_revision=None,
)


def rows(count: int) -> list[ViolationRow]:
    return [replace(ENDED, from_at=NOON + timedelta(hours=n)) for n in range(count)]


async def asked(clerk: Clerk, query: str = "", **headers: str) -> httpx.Response:
    async with clerk.client() as client:
        return await client.get(f"{VIOLATIONS}?{query}", headers=headers)


async def refusal(query: str) -> tuple[int, str, str]:
    clerk = Clerk()
    answer = await asked(clerk, query)
    assert clerk.asked == []
    return answer.status_code, answer.json()["rule"], answer.json()["detail"]


async def test_a_finding_is_told_in_full_and_nulls_are_null() -> None:
    answer = await asked(Clerk(violation_rows=[ENDED, OPEN]))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == (
        f'{{"items":[{{"timer_id":"{LONG}","owner":"dana","rule":"R18","from":"2026-03-01T12:00:00.000000Z",'
        f'"to":"2026-03-01T12:01:00.000500Z","amount_seconds":60.0005,"refused":false,"event_id":"{EVENT_ID}",'
        f'"policy_revision":7}},{{"timer_id":"{LONG}","owner":"noa","rule":"R13",'
        '"from":"2026-03-01T12:00:00.000000Z","to":null,"amount_seconds":null,"refused":true,'
        f'"event_id":"{EVENT_ID}","policy_revision":null}}],"next_cursor":null}}'
    )


async def test_no_findings_are_an_empty_list() -> None:
    assert (await asked(Clerk())).text == '{"items":[],"next_cursor":null}'


async def test_without_filters_a_machine_asks_for_all_of_its_tenant() -> None:
    clerk = Clerk()
    await asked(clerk, "owner=&rule=&from=&to=&cursor=&limit=")
    assert clerk.asked == [("violations", "acme", ViolationFilter(), None, 100)]


async def test_every_filter_is_passed_on() -> None:
    clerk = Clerk()
    await asked(clerk, "owner=noa&rule=R13&from=2026-03-01T09:00:00%2B02:00&to=2026-03-02T00:00:00Z&limit=1000")
    since, until = datetime(2026, 3, 1, 7, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    assert clerk.asked == [("violations", "acme", ViolationFilter("noa", Rule.OVERLAP, since, until), None, 1000)]


async def test_days_are_whole_local_days_of_the_tenants_zone() -> None:
    """In Jerusalem the clocks go forward on 27 March, so that day has 23 hours."""
    clerk = Clerk()
    await asked(clerk, "from=2026-03-27&to=2026-03-27")
    since, until = datetime(2026, 3, 26, 22, tzinfo=UTC), datetime(2026, 3, 27, 21, tzinfo=UTC)
    assert clerk.asked == [("violations", "acme", ViolationFilter(since=since, until=until), None, 100)]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("rule=R99", "rule must be the id of a rule, such as R13."),
        ("rule=r13", "rule must be the id of a rule, such as R13."),
        ("rule=overlap", "rule must be the id of a rule, such as R13."),
        ("limit=0", "limit must be a number from 1 to 1000."),
        ("limit=1001", "limit must be a number from 1 to 1000."),
        ("limit=-1", "limit must be a number from 1 to 1000."),
        ("limit=%D9%A3", "limit must be a number from 1 to 1000."),
        ("from=2026-03-02&to=2026-03-01", "from must lie before to."),
        ("from=2026-03-01T10:00:00Z&to=2026-03-01T10:00:00Z", "from must lie before to."),
        ("from=2026-03-01T10:00:00Z&to=2026-03-01T11:00:00%2B02:00", "from must lie before to."),
        ("owners=dana", "query may have these parameters only: owner, rule, from, to, cursor, limit. It has owners."),
        ("owner=dana&owner=noa", "query is not UTF-8, or has a parameter twice."),
        ("owner=%FF", "query is not UTF-8, or has a parameter twice."),
        ("owner=%00", "query is not UTF-8, or has a parameter twice."),
    ],
)
async def test_a_malformed_question_says_what_to_write_instead(query: str, detail: str) -> None:
    assert await refusal(query) == (400, "R03", detail)


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "text", ["2026-03-01T09:00:00", "2026-02-30", "yesterday", "2026-03-01T09:00:00+02:00", "9999-12-31", "1"]
)
async def test_a_time_that_is_no_moment_and_no_day_is_400(name: str, text: str) -> None:
    """A "+" that is not encoded is a space, and a time without an offset is a guess."""
    status, rule, detail = await refusal(f"{name}={text}")
    assert (status, rule) == (400, "R03")
    assert detail.startswith(f"{name} must be a day, such as 2026-03-27, or a time with an offset")


async def test_an_owner_may_have_128_characters() -> None:
    assert await refusal(f"owner={'x' * 129}") == (400, "R04", "owner is too long.")
    assert (await asked(Clerk(), f"owner={'x' * 128}")).status_code == 200


async def test_a_cursor_goes_on_after_the_last_row_of_its_page() -> None:
    clerk = Clerk(violation_rows=rows(3))
    first = (await asked(clerk, "limit=2")).json()
    assert [item["from"] for item in first["items"]] == ["2026-03-01T12:00:00.000000Z", "2026-03-01T13:00:00.000000Z"]
    clerk.violation_rows = rows(1)
    last = await asked(clerk, f"limit=5&cursor={first['next_cursor']}")
    assert (last.status_code, last.json()["next_cursor"]) == (200, None)
    after = ViolationKey(NOON + timedelta(hours=1), SHORT, "R18")
    assert clerk.asked[-1] == ("violations", "acme", ViolationFilter(), after, 5)


async def test_a_full_last_page_has_no_cursor() -> None:
    assert (await asked(Clerk(violation_rows=rows(2)), "limit=2")).json()["next_cursor"] is None


FILTERS = "owner=dana&rule=R18&from=2026-03-01&to=2026-03-02"


async def cursor_of(query: str, clerk: Clerk | None = None) -> str:
    answer = await asked(clerk or Clerk(violation_rows=rows(2)), f"{query}&limit=1")
    return str(answer.json()["next_cursor"])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "owner=dana",
        FILTERS.replace("dana", "noa"),
        FILTERS.replace("R18", "R13"),
        FILTERS.replace("03-01", "02-28"),
        FILTERS.replace("to=2026-03-02", "to=2026-03-03"),
    ],
)
async def test_a_cursor_with_other_filters_is_400(query: str) -> None:
    status, rule, detail = await refusal(f"{query}&cursor={await cursor_of(FILTERS)}")
    assert (status, rule) == (400, "R03")
    assert detail == "cursor was given with other filters: repeat those of its page, or begin again without one."


async def test_a_cursor_with_the_same_filters_in_other_words_goes_on() -> None:
    same = "rule=R18&to=2026-03-02T22:00:00Z&from=2026-03-01T00:00:00%2B02:00&owner=dana&limit=1000"
    assert (await asked(Clerk(), f"{same}&cursor={await cursor_of(FILTERS)}")).status_code == 200
    # A person's own list is the list of that owner.
    of_dana = await cursor_of("", Clerk(caller=DANA, violation_rows=rows(2)))
    assert (await asked(Clerk(), f"owner=dana&cursor={of_dana}")).status_code == 200


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%FF", "a" * 200, "*", "R13", "MTIzNA=="])
async def test_a_cursor_that_was_never_given_is_400(cursor: str) -> None:
    assert (await refusal(f"cursor={cursor}"))[:2] == (400, "R03")


async def test_a_bent_cursor_is_400_or_another_place_and_never_an_error() -> None:
    given = await cursor_of("")
    for place in range(len(given)):
        for letter in "A9z_":
            bent = given[:place] + letter + given[place + 1 :]
            assert (await asked(Clerk(), f"cursor={bent}")).status_code in {200, 400}


async def test_a_person_sees_only_their_own_findings() -> None:
    clerk = Clerk(caller=DANA)
    assert (await asked(clerk)).status_code == 200
    assert (await asked(clerk, "owner=dana")).status_code == 200
    assert clerk.asked == [("violations", "acme", ViolationFilter(owner="dana"), None, 100)] * 2
    foreign = await asked(clerk, "owner=noa")
    assert (foreign.status_code, foreign.json()["detail"]) == (404, "There is no such owner.")
    assert len(clerk.asked) == 2


async def test_findings_wait_for_a_position() -> None:
    clerk = Clerk()
    assert (await asked(clerk, **{"X-Min-Position": "3:42"})).status_code == 200
    assert clerk.asked[0] == ("wait_for", "acme", 3, 42, 2.0)
    behind = await asked(Clerk(fresh=False), **{"X-Min-Position": "3:42"})
    assert (behind.status_code, behind.headers["retry-after"]) == (503, "1")
    assert (await asked(Clerk(), **{"X-Min-Position": "12:0"})).status_code == 400


async def test_findings_without_postgres_or_a_policy_are_503() -> None:
    for clerk in (Clerk(away=True), Clerk(policy=None)):
        answer = await asked(clerk)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
