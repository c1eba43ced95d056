"""The outcome of a press as its row has it: as text, packed, packed by a newer release, or damaged."""

import sys
from typing import Any, Final, Literal, cast

import pytest
from structlog.testing import capture_logs

from deploy.outcome_dictionary import numbered
from services.command_api.desk.rows import OutcomeRow
from services.command_api.store.database import Database
from services.command_api.store.reads import PostgresReads
from shared.packing.bodies import pack
from tests.support.fakes.desks import EVENT_ID, NOON

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY: Final = '{"v":1,"owner":"dana","digest":"d"}'
# A frame that names dictionary 200, which no release has yet.
WORDS: Final = zstd.train_dict([b"{%d,%d}" % (n, n * n) * 9 for n in range(999)], 1024)
PACKED: Final = pack(BODY.encode())
NEWER: Final = zstd.compress(BODY.encode(), zstd_dict=zstd.ZstdDict(numbered(WORDS, 200)))


class OneRow:
    """Stands in for a `Database`: each query finds one row of `outcome`."""

    def __init__(self, body: str, packed: bytes | None) -> None:
        self._row = {
            "kpart": 3,
            "source_offset": 42,
            "event_id": EVENT_ID,
            "log_time": NOON,
            "body": body,
            "packed": packed,
        }

    async def row(self, _sql: str, *_values: object) -> dict[str, Any]:
        return self._row


async def read_of(body: str, packed: bytes | None, kpart: int | None = 3) -> OutcomeRow | None:
    return await PostgresReads(cast("Database", OneRow(body, packed))).outcome("acme", EVENT_ID, kpart)


@pytest.mark.parametrize("kpart", [3, None])
@pytest.mark.parametrize(("body", "packed"), [(BODY, None), ("", PACKED)], ids=["as text", "packed"])
async def test_a_row_is_read_whatever_form_it_has(body: str, packed: bytes | None, kpart: int | None) -> None:
    assert await read_of(body, packed, kpart) == OutcomeRow(3, 42, EVENT_ID, "d", NOON, BODY)


@pytest.mark.parametrize(
    ("body", "packed", "unread"),
    [
        pytest.param("", NEWER, "newer", id="packed with a dictionary of a newer release"),
        pytest.param("", PACKED[:-1], "damaged", id="packed, and cut"),
        pytest.param("", b"", "damaged", id="packed, and empty"),
        pytest.param(BODY[:-1], None, "damaged", id="text, and cut"),
        pytest.param('{"v":2,"digest":7}', None, "damaged", id="with a digest of another kind"),
    ],
)
async def test_a_row_that_cannot_be_read_says_why(
    body: str, packed: bytes | None, unread: Literal["newer", "damaged"]
) -> None:
    """It says no digest, so no key is called reused for it. The alarm says whether an upgrade mends it."""
    with capture_logs() as logs:
        row = await read_of(body, packed)
    assert row == OutcomeRow(3, 42, EVENT_ID, None, NOON, "", unread)
    alarm = {
        "event": "outcome_unreadable",
        "log_level": "error",
        "reason": unread,
        "kpart": 3,
        "source_offset": 42,
    }
    assert logs == [alarm]
