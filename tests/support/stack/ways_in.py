"""Ways in: the headers and numbers that callers of the published APIs use."""

import itertools
from typing import Final

# Dialect A's owners: bare integers of 39 digits, which no float can hold.
_numbers: Final = itertools.count(253960413951646409173244928790043995931)


def fresh_number() -> int:
    """Return an owner that no other test uses."""
    return next(_numbers)


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a caller of dialects A and C."""
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def zoho(token: str) -> dict[str, str]:
    """Return the headers of a caller of dialect B."""
    return {"Authorization": f"Zoho-oauthtoken {token}"}
