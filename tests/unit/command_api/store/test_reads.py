"""The outcome of a press as its row has it: as text, packed, or packed by a newer release."""

import sys
from typing import Any, Final, cast

import pytest

from deploy.outcome_dictionary import numbered
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


@pytest.mark.parametrize("kpart", [3, None])
@pytest.mark.parametrize(
    ("body", "packed", "digest", "read"),
    [
        pytest.param(BODY, None, "d", BODY, id="as text"),
        pytest.param("", pack(BODY.encode()), "d", BODY, id="packed"),
        pytest.param(BODY[:-1], None, None, "", id="damaged"),
        pytest.param('{"v":2,"digest":7}', None, None, "", id="with a digest of another kind"),
        pytest.param("", NEWER, None, "", id="packed with a dictionary of a newer release"),
    ],
)
async def test_a_row_is_read_whatever_packed_it(
    body: str, packed: bytes | None, digest: str | None, read: str, kpart: int | None
) -> None:
    """A body of a newer release is as one that cannot be read, and says no digest: no key is called reused for it."""
    row = await PostgresReads(cast("Database", OneRow(body, packed))).outcome("acme", EVENT_ID, kpart)
    assert row is not None
    assert (row.kpart, row.source_offset, row.event_id, row.digest, row.body) == (3, 42, EVENT_ID, digest, read)
