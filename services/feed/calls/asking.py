"""Asking: what a request for the feed asks for. A parameter that is spelt wrongly must not answer with everything."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from shared.process.http.accept import weights_of

WAIT_SECONDS_MAX: Final = 30
LINES_MAX: Final = 10_000
LINES_DEFAULT: Final = 1_000
# The word for the end of the feed, in the place of a position.
NOW: Final = "now"

_EVENTS: Final = "text/event-stream"
_LINES: Final = "application/x-ndjson"
_NUMBER: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_PARAMETERS: Final = ("after", "wait", "limit")


class MalformedFeedError(ValueError):
    """The request shows by itself that it is wrong. The message is for the caller, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class FeedAsked:
    """`after`: a position, NOW, or None for the beginning. `events`: as server-sent events, until the caller leaves."""

    after: str | None
    wait_seconds: int
    lines_max: int
    events: bool


def read_feed_request(request: Request) -> FeedAsked:
    """Return what a request asks for. Raises MalformedFeedError."""
    query: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in _PARAMETERS:
            raise MalformedFeedError("The query may have after, wait and limit, and no other parameter.")
        if name in query:
            raise MalformedFeedError(f"{name} is given twice.")
        query[name] = value
    events = _wants_events(request)
    if events and (query.get("wait") or query.get("limit")):
        raise MalformedFeedError("wait and limit are for JSON lines: a stream of events ends when its reader leaves.")
    after = query.get("after")
    if events:
        after = _last_event(request) or after
    return FeedAsked(
        after=after or None,
        wait_seconds=_number(query, "wait", 0, 0, WAIT_SECONDS_MAX),
        lines_max=_number(query, "limit", LINES_DEFAULT, 1, LINES_MAX),
        events=events,
    )


def _last_event(request: Request) -> str | None:
    """Return `Last-Event-ID`, which a browser adds to the request that it repeats: it is newer than the query."""
    given = request.headers.getlist("last-event-id")
    if len(given) > 1:
        raise MalformedFeedError("Last-Event-ID is given twice.")
    return given[0].strip() if given else None


def _number(query: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise MalformedFeedError(f"{name} is a whole number from {least} to {most}.")
    return int(text)


def _wants_events(request: Request) -> bool:
    weights = weights_of(request)
    events = weights.get(_EVENTS, 0.0)
    return events > 0 and events >= weights.get(_LINES, 0.0)
