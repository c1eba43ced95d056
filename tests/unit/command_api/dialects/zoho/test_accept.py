"""Dialect B: XML or JSON, by what Accept weighs (RFC 9110, 12.5.1); a tie stays JSON."""

import pytest

from tests.support.fakes.desks import DANA, SHORT, Clerk

TIMER = "/people/api/timetracker/timer"
PAUSE = f"timeLogId={SHORT}&timer=stop"


@pytest.mark.parametrize(
    ("accept", "xml"),
    [
        ([], False),
        ([""], False),
        (["*/*"], False),
        (["application/*"], False),
        (["application/xml"], True),
        (["Application/XML"], True),
        (["text/xml"], True),
        (["text/*"], True),
        (["*/*, application/xml;q=0.5"], False),
        (["*/*;q=0.1, application/xml;q=0.5"], True),
        (["application/*;q=0.9, text/xml"], True),
        (["application/*, text/xml"], False),
        (["application/json, application/xml"], False),
        (["application/json;q=0.5, application/xml;q=0.9"], True),
        (["application/json; Q=0.5", "application/xml"], True),
        (["application/json;q=0, */*"], True),
        (["application/xml;q=0"], False),
        (["application/xml;q=0, text/xml;q=0, */*"], False),
        (["application/xml;q=nan"], False),
        (["application/xml;q=2"], False),
        (["application/xml;q="], False),
        (["application/xml;charset=utf-8"], True),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], True),
        ([";;,,=,/xml"], False),
    ],
)
async def test_accept_weighs_what_it_names(accept: list[str], *, xml: bool) -> None:
    async with Clerk(caller=DANA).client() as client:
        client.headers.pop("accept")
        answer = await client.get(f"{TIMER}?{PAUSE}", headers=[("Accept", line) for line in accept])
    assert answer.headers["content-type"] == ("application/xml" if xml else "application/json")
