"""Dialect C: what happened to one timer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest

from services.command_api.desk.rows import HistoryRow
from tests.support.fakes.desks import DANA, EVENT_ID, LONG, NOON, SHORT, Clerk
from tests.unit.command_api.dialects.native.timers.rows import ROW

PATH = f"/v1/timers/{LONG}/history"
TOLD: dict[str, Any] = {
    "what": "pause",
    "verdict": "refused",
    "rule": "R07",
    "state": "STOPPED",
    "client": "phone",
    "person": "dana",
    "role": "person",
    "dialect": "zoho",
    "asked_at": NOON.isoformat(),
}
LINE = HistoryRow(42, "3:42", "press", NOON, TOLD, EVENT_ID, NOON + timedelta(seconds=1))


def lines(*offsets: int) -> list[HistoryRow]:
    return [replace(LINE, source_offset=offset) for offset in offsets]


async def asked(clerk: Clerk, query: str = "", path: str = PATH) -> httpx.Response:
    async with clerk.client() as client:
        return await client.get(f"{path}?{query}")


async def test_a_line_says_who_pressed_what_through_which_dialect_and_what_came_of_it() -> None:
    clerk = Clerk(row=ROW, history_rows=[LINE])
    answer = await asked(clerk)
    assert answer.text == (
        '{"items":[{"what":"pause","by":"press","at":"2026-03-01T12:00:00.000000Z",'
        '"asked_at":"2026-03-01T12:00:00.000000Z","recorded_at":"2026-03-01T12:00:01.000000Z","client":"phone",'
        '"person":"dana","role":"person","dialect":"zoho","verdict":"refused","rule":"R07","state":"STOPPED",'
        f'"event_id":"{EVENT_ID}","position":"3:42"}}],"next_cursor":null}}'
    )
    assert clerk.asked == [("timer", "acme", SHORT), ("history", SHORT, -1, 101)]


async def test_what_nobody_pressed_names_nobody() -> None:
    told = {name: TOLD[name] for name in ("what", "verdict", "state")}
    (item,) = (await asked(Clerk(row=ROW, history_rows=[replace(LINE, by="settle", told=told)]))).json()["items"]
    names = ("by", "client", "person", "role", "dialect", "asked_at", "rule")
    assert [item[name] for name in names] == ["settle", *[None] * 6]


async def test_pages_have_whole_records_and_end_with_null() -> None:
    clerk = Clerk(row=ROW, history_rows=lines(1, 2, 2, 3))
    first = (await asked(clerk, "limit=2")).json()
    assert len(first["items"]) == 1
    second = (await asked(clerk, f"limit=2&cursor={first['next_cursor']}")).json()
    assert len(second["items"]) == 2
    last = (await asked(clerk, f"limit=2&cursor={second['next_cursor']}")).json()
    assert (len(last["items"]), last["next_cursor"]) == (1, None)
    assert [question[2] for question in clerk.asked if question[0] == "history"] == [-1, 1, 2]


async def test_a_cursor_goes_with_its_timer_by_whichever_id() -> None:
    """That of another timer would skip lines in silence."""
    clerk = Clerk(row=ROW, history_rows=lines(1, 2, 3))
    cursor = (await asked(clerk, "limit=2")).json()["next_cursor"]
    for timer_id, status in {LONG: 200, SHORT: 200, SHORT + 1: 400}.items():
        answer = await asked(clerk, f"cursor={cursor}", f"/v1/timers/{timer_id}/history")
        assert (answer.status_code, answer.json().get("rule")) == (status, None if status == 200 else "R03")


async def test_an_unknown_timer_and_another_persons_are_404() -> None:
    unknown = await asked(Clerk())
    foreign = await asked(Clerk(caller=DANA, row=replace(ROW, owner="noa"), history_rows=[LINE]))
    malformed = await asked(Clerk(row=ROW), path="/v1/timers/x/history")
    assert {answer.status_code for answer in (unknown, foreign, malformed)} == {404}
    assert unknown.content == foreign.content == malformed.content
    assert (await asked(Clerk(caller=DANA, row=ROW, history_rows=[LINE]))).status_code == 200


@pytest.mark.parametrize("query", ["cursor=x", "cursor=2", "limit=0", "from=2026-03-01"])
async def test_a_malformed_question_is_400(query: str) -> None:
    assert (await asked(Clerk(row=ROW), query)).status_code == 400
