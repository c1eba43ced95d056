"""The tenant's policy over HTTP: who may set and read it, how revisions are named, and what each mistake hears."""

import json
import re
from dataclasses import replace
from typing import Any, Final

import httpx2 as httpx
import pytest

from services.command_api.desk.policies import MovedOn, NotSet, Revision, SetTooOften
from shared.events.policies.book import PolicyRecord
from shared.events.policy import Overlap, OverlapMode, Policy, Preset, Rules
from tests.support.fakes.desks import ADMIN, DANA, MACHINE, NOON, Clerk, PolicyLogInHand

JERUSALEM: Final[dict[str, Any]] = {"preset": "native", "zone": "Asia/Jerusalem"}
TOKYO: Final = Policy(preset=Preset.NATIVE, zone="Asia/Tokyo", rules=Rules(R13=Overlap(mode=OverlapMode.ALLOW)))


def revisions(count: int) -> list[Revision]:
    """Return a tenant's first revisions: 10, 20, 30 …"""
    return [
        Revision(
            number * 10, PolicyRecord(replaces=(number - 1) * 10 or None, set_by="avi", set_at=NOON, document=TOKYO)
        )
        for number in range(1, count + 1)
    ]


def admin(count: int = 1, **mood: Any) -> Clerk:  # noqa: ANN401 - a mood is of any kind
    return Clerk(caller=ADMIN, policy_log=PolicyLogInHand(revisions(count), **mood))


async def put(clerk: Clerk, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with clerk.client() as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.put("/v1/policy", content=content, headers=named)


async def get(clerk: Clerk, path: str = "", **headers: str) -> httpx.Response:
    async with clerk.client() as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.get(f"/v1/policy{path}", headers=named)


async def test_a_document_that_is_set_is_answered_with_its_revision() -> None:
    clerk = admin()
    answer = await put(clerk, JERUSALEM | {"rules": {"R13": {"mode": "allow"}}, "replaces": 10})
    assert (answer.status_code, answer.headers["etag"], answer.text) == (
        200,
        '"11"',
        (
            '{"preset":"native","zone":"Asia/Jerusalem","rules":{"R13":{"mode":"allow"}},'
            '"revision":11,"replaces":10,"set_by":"office","set_at":"2026-03-01T12:00:00.000000Z"}'
        ),
    )
    rules = Rules(R13=Overlap(mode=OverlapMode.ALLOW))
    assert clerk.policy_log.asked == [("acme", Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem", rules=rules), 10)]


@pytest.mark.parametrize(
    ("said", "headers", "replaces"),
    [
        ({"replaces": 10}, {}, 10),
        ({"replaces": None}, {}, None),
        ({}, {"if_match": '"10"'}, 10),
        ({"replaces": 10}, {"if_match": ' "10" '}, 10),
    ],
)
async def test_a_revision_is_named_in_the_document_or_as_an_etag(
    said: dict[str, Any], headers: dict[str, str], replaces: int | None
) -> None:
    clerk = admin()
    assert (await put(clerk, JERUSALEM | said, **headers)).status_code == 200
    assert [asked[2] for asked in clerk.policy_log.asked] == [replaces]


@pytest.mark.parametrize(
    ("said", "headers", "rule", "detail"),
    [
        (
            {},
            {},
            "R02",
            "replaces: is mandatory without If-Match; may be the revision in force, or null for a first policy.",
        ),
        ({"replaces": 9}, {"if_match": '"10"'}, "R03", "replaces: names another revision than If-Match. Give one."),
        ({"replaces": None}, {"if_match": '"10"'}, "R03", "replaces: names another revision than If-Match. Give one."),
        *(
            ({}, {"if_match": etag}, "R03", 'If-Match: may be one ETag of a revision, such as "42".')
            for etag in ("*", "10", 'W/"10"', '"10", "11"', '"010"', '"x"', '"1234567890123456789"')
        ),
    ],
)
async def test_a_put_that_names_no_single_revision_is_refused(
    said: dict[str, Any], headers: dict[str, str], rule: str, detail: str
) -> None:
    clerk = admin()
    answer = await put(clerk, JERUSALEM | said, **headers)
    assert (answer.status_code, answer.json()["rule"], answer.json()["detail"]) == (400, rule, detail)
    assert clerk.policy_log.asked == []


async def test_two_etags_to_match_are_refused() -> None:
    """The header sent twice: a gateway in front of us may believe the other one."""
    async with admin().client() as client:
        twice = [("If-Match", '"10"'), ("If-Match", '"10"')]
        assert (await client.put("/v1/policy", json=JERUSALEM, headers=twice)).status_code == 400


async def test_each_mistake_in_a_document_is_told_by_its_path() -> None:
    wrong = JERUSALEM | {"replaces": 10, "rules": {"R11": {"mode": "loud"}}}
    answer = await put(admin(), wrong)
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        400,
        "application/problem+json",
        {
            "type": "tag:stint.invalid,2026:rule/R03",
            "title": "value_invalid",
            "status": 400,
            "detail": "rules.R11.mode: may be off, flag, block, strict.",
            "rule": "R03",
        },
    )
    missing = await put(admin(), {"preset": "native", "replaces": 10})
    assert (missing.json()["rule"], missing.json()["detail"]) == (
        "R02",
        "zone: is mandatory; may be a zone such as Asia/Jerusalem.",
    )
    both = await put(admin(), JERUSALEM | {"zone": "Nowhere"})
    assert both.json()["rule"] == "R02"
    assert re.fullmatch(r"replaces: is mandatory without If-Match; .*\. zone: .*", both.json()["detail"])
    for body in (b"", b"{", b'{"zone":"UTC","zone":"UTC"}'):
        assert (await put(admin(), body)).json()["detail"] == "The body is not JSON, or a member is given twice."


async def test_a_put_with_a_query_is_refused() -> None:
    async with admin().client() as client:
        answer = await client.put("/v1/policy?replaces=10", json=JERUSALEM | {"replaces": 10})
    assert answer.status_code == 400


@pytest.mark.parametrize("caller", [MACHINE, DANA])
async def test_only_an_admin_sets_the_policy(caller: Any) -> None:  # noqa: ANN401 - a caller
    clerk = replace(admin(), caller=caller)
    answer = await put(clerk, JERUSALEM | {"replaces": 10})
    assert (answer.status_code, answer.json()["rule"], answer.json()["detail"]) == (
        403,
        "R06",
        "Only an admin may set the policy.",
    )
    assert clerk.policy_log.asked == []


async def test_a_document_that_lost_the_race_hears_which_revision_is_in_force() -> None:
    moved = await put(admin(became=MovedOn(20)), JERUSALEM | {"replaces": 10})
    assert (moved.status_code, moved.json()["detail"]) == (
        409,
        "Revision 20 is in force. Read it, and replace that one.",
    )
    first = await put(admin(became=MovedOn(None)), JERUSALEM | {"replaces": 10})
    assert (first.status_code, first.json()["detail"]) == (
        409,
        "The tenant has no policy yet: its first one replaces null.",
    )


async def test_a_tenant_that_sets_revision_after_revision_hears_when_it_may_go_on() -> None:
    answer = await put(admin(became=SetTooOften(3601)), JERUSALEM | {"replaces": 10})
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["rule"]) == (429, "3601", "R19")
    assert answer.json()["detail"] == (
        "The tenant has set 100 revisions within 24 hours. Look for a program that sets the policy again and again."
    )


async def test_a_put_of_unknown_fate_says_so() -> None:
    surely_not = await put(admin(became=NotSet(may_be_set=False)), JERUSALEM | {"replaces": 10})
    assert (surely_not.status_code, surely_not.headers["retry-after"], surely_not.json()["detail"]) == (
        503,
        "1",
        "The policy was not recorded. Please try again.",
    )
    unknown = await put(admin(became=NotSet(may_be_set=True)), JERUSALEM | {"replaces": 10})
    assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "1")
    assert unknown.json()["detail"].startswith("It is not known whether the policy was recorded.")


async def test_the_policy_in_force_and_each_older_one_are_read() -> None:
    latest = await get(admin(3))
    assert (latest.status_code, latest.headers["etag"], latest.json()) == (
        200,
        '"30"',
        {
            "preset": "native",
            "zone": "Asia/Tokyo",
            "rules": {"R13": {"mode": "allow"}},
            "revision": 30,
            "replaces": 20,
            "set_by": "avi",
            "set_at": "2026-03-01T12:00:00.000000Z",
        },
    )
    older = await get(admin(3), "/20")
    assert (older.status_code, older.headers["etag"], older.json()["revision"]) == (200, '"20"', 20)


@pytest.mark.parametrize("revision", ["15", "40", "x", "-1", "010", "1234567890123456789"])
async def test_an_unknown_revision_is_404_whatever_the_reason(revision: str) -> None:
    """A void one, one of another tenant, and one that no log can hold."""
    unknown = await get(admin(3), f"/{revision}")
    foreign = await get(replace(admin(3), caller=replace(ADMIN, tenant="other")), "/20")
    assert (unknown.status_code, unknown.content) == (404, foreign.content)
    assert unknown.json()["detail"] == "There is no such revision of the policy."


async def test_a_tenant_without_policy_hears_so() -> None:
    answer = await get(admin(0))
    assert (answer.status_code, answer.json()["detail"]) == (404, "The tenant has no policy yet.")


@pytest.mark.parametrize("path", ["", "/10", "/history"])
async def test_every_role_but_a_person_reads_policies(path: str) -> None:
    assert (await get(replace(admin(), caller=MACHINE), path)).status_code == 200
    refused = await get(replace(admin(), caller=DANA), path)
    assert (refused.status_code, refused.json()["rule"]) == (403, "R06")


@pytest.mark.parametrize("path", ["", "/10", "/history"])
async def test_before_the_past_is_read_no_policy_is_told(path: str) -> None:
    """An older revision would pass for the one in force, and one that is there would be 404."""
    answer = await get(admin(has_begun=False), path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("path", ["", "/10", "/history"])
async def test_policies_are_read_while_postgres_is_away_unless_a_position_is_named(path: str) -> None:
    away = replace(admin(), away=True)
    assert (await get(away, path)).status_code == 200
    assert (await get(away, path, x_min_position="3:42")).status_code == 503


@pytest.mark.parametrize("path", ["", "/10", "/history"])
async def test_policies_are_read_after_the_position_that_is_named(path: str) -> None:
    clerk = admin()
    assert (await get(clerk, path, x_min_position="3:42")).status_code == 200
    assert clerk.asked == [("wait_for", "acme", 3, 42, 2.0)]


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ('"30"', 304),
        ('W/"30"', 304),
        ('"10", "30"', 304),
        ("*", 304),
        ('"20"', 200),
        ("30", 200),
    ],
)
async def test_a_caller_that_has_the_revision_gets_304(known: str, status: int) -> None:
    answer = await get(admin(3), if_none_match=known)
    assert (answer.status_code, answer.headers["etag"]) == (status, '"30"')
    assert bool(answer.content) == (status == 200)


async def test_the_history_is_told_newest_first_and_page_by_page() -> None:
    first = await get(admin(3), "/history?limit=2")
    assert first.json() == {
        "items": [
            {"revision": 30, "replaces": 20, "set_by": "avi", "set_at": "2026-03-01T12:00:00.000000Z"},
            {"revision": 20, "replaces": 10, "set_by": "avi", "set_at": "2026-03-01T12:00:00.000000Z"},
        ],
        "next_cursor": "20",
    }
    second = await get(admin(3), "/history?limit=2&cursor=20")
    assert second.json() == {
        "items": [{"revision": 10, "replaces": None, "set_by": "avi", "set_at": "2026-03-01T12:00:00.000000Z"}],
        "next_cursor": None,
    }


async def test_a_page_of_the_history_is_bounded() -> None:
    answer = (await get(admin(101), "/history")).json()
    assert (len(answer["items"]), answer["next_cursor"]) == (100, "20")
    assert (await get(admin(100), "/history")).json()["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("cursor=x", "cursor: may be what next_cursor said."),
        ("limit=0", "limit must be a number from 1 to 100."),
        ("limit=101", "limit must be a number from 1 to 100."),
        ("limit=x", "limit must be a number from 1 to 100."),
        ("limt=1", "query may have these parameters only: cursor, limit. It has limt."),
        ("limit=1&limit=2", "query is not UTF-8, or has a parameter twice."),
        ("limit=1&limit=1", "query is not UTF-8, or has a parameter twice."),
    ],
)
async def test_a_page_that_cannot_be_meant_is_refused(query: str, detail: str) -> None:
    answer = await get(admin(), f"/history?{query}")
    assert (answer.status_code, answer.json()["rule"], answer.json()["detail"]) == (400, "R03", detail)


async def test_an_empty_parameter_of_the_history_counts_as_not_given() -> None:
    """As in the other lists: the first page."""
    answers = [await get(admin(3), f"/history{query}") for query in ("?cursor=", "?limit=", "")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[-1].content)}


async def test_another_method_hears_which_ones_there_are() -> None:
    async with admin().client() as client:
        answer = await client.delete("/v1/policy")
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "PUT"})
