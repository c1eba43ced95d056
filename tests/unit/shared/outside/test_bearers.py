"""What is remembered of a token costs the same, however long the token is. The rest is tested where services use it."""

import gc
import tracemalloc
from datetime import UTC, datetime
from typing import Final

import pytest

from shared.identity import TOKEN_LENGTH_MAX
from shared.outside.bearers import Bearer, Bearers
from shared.outside.claims import Outsider
from shared.outside.sources import Sources

TOKENS: Final = 500
NOON: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)


class _Tables:
    """`OwnTokens`: every token is one of ours, or none is."""

    def __init__(self, *, known: bool) -> None:
        self._known = known

    async def signed(self, token: str) -> Bearer[str] | None:
        return await self.opaque(token)

    async def opaque(self, token: str) -> Bearer[str] | None:
        return Bearer(token[:8], NOON.replace(hour=13), 60.0) if self._known else None

    def from_outside(self, outsider: Outsider) -> str:
        return outsider.client


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("form", ["{:08}", "eyJ{:08}.{{}}.x"])
async def test_a_hundred_thousand_long_tokens_fit_into_a_process(form: str, *, known: bool) -> None:
    """Strangers choose what they send, and the tokens of some providers have thousands of characters."""
    bearers: Bearers[str] = Bearers(
        _Tables(known=known),
        Sources((), None, lambda: NOON),
        lambda: NOON,
        tokens_max=TOKENS,
        fresh_seconds=60.0,
        away=OSError,
        clock=lambda: 0.0,
    )
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(TOKENS):
            token = form.format(number).ljust(TOKEN_LENGTH_MAX, "x")
            assert (await bearers.caller_of(token) is not None) == known
        bytes_each = tracemalloc.get_traced_memory()[0] / TOKENS
    finally:
        tracemalloc.stop()
    # Some 100 MB for COMMAND_API_TOKENS_MAX.
    assert bytes_each < 1000
