"""What Kafka keeps for ever, read from the broker's own folder."""

from pathlib import Path
from typing import Final

from shared.events.topics import EVENTS, OUTCOMES

KEPT_FOR_EVER: Final = (EVENTS, OUTCOMES)


def bytes_kept(log: Path) -> int:
    """Return the bytes of all segments of events and outcomes. Their indexes are made anew when they are missing."""
    folders = [folder for name in KEPT_FOR_EVER for folder in log.glob(f"{name}-*")]
    return sum(segment.stat().st_size for folder in folders for segment in folder.glob("*.log"))
