"""Quotas: how many requests of a dialect (A, C) one client may make (R19). Each process counts for itself.

All tokens of one client take from one bucket. A count for all processes would ask Postgres at each request, and a press
must not need Postgres.
"""

import math
from collections.abc import Callable

from services.command_api.auth.buckets import Buckets
from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import OverThreshold


class ClientQuotas:
    """`desk.Quotas`, over a bucket for each client. `per_second` 0: there is no limit. `clock` returns seconds."""

    def __init__(self, *, burst: int, per_second: float, clock: Callable[[], float]) -> None:
        self._buckets = Buckets(burst, per_second, clock) if per_second else None

    def over(self, caller: Caller) -> OverThreshold | None:
        """Count one request of a caller; None: it may go on."""
        if self._buckets is None:
            return None
        # A tenant has no "/" in its name.
        seconds = self._buckets.take(f"{caller.tenant}/{caller.client}".encode())
        return OverThreshold(math.ceil(seconds)) if seconds else None
