"""The clock: moments, aware and in UTC. A part takes it as an argument of type `Now`, which a test replaces."""

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]


def now() -> datetime:
    """Return the moment by this machine's clock."""
    return datetime.now(UTC)
