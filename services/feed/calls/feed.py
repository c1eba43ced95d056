"""`GET /v1/feed`: the one way of a request. Nothing is read from Kafka for it; the window is in memory."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from services.feed.callers.callers import Callers
from services.feed.callers.own_tokens import FeedCaller
from services.feed.callers.tokens import TokensAwayError
from services.feed.calls import answers
from services.feed.calls.asking import NOW, FeedAsked, MalformedFeedError, read_feed_request
from services.feed.calls.lines import json_lines, server_sent_events
from services.feed.calls.room import Room
from services.feed.calls.stream import Stream
from services.feed.window.position import FeedPlace, read_position
from services.feed.window.walk import Walk
from services.feed.window.window import FeedWindow
from shared.events.rules import Rule
from shared.kafka.clients import KafkaError
from shared.process.clock import Now

PATH: Final = "/v1/feed"
# How requests are answered: 200 in one of two forms, or a status.
ANSWERS: Final = ("lines", "events", "400", "401", "403", "405", "410", "429", "503")

# No proxy may keep an answer, or hold a piece back until more came.
_NOT_KEPT: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_JSON_LINES: Final = {"Content-Type": "application/x-ndjson"} | _NOT_KEPT
EVENTS_HEADERS: Final = {"Content-Type": "text/event-stream; charset=utf-8"} | _NOT_KEPT


class FeedCall:
    """The call, as an ASGI application. `window` returns None until there is one; `ends` asks Kafka where it ends."""

    def __init__(
        self,
        *,
        callers: Callers,
        window: Callable[[], FeedWindow | None],
        ends: Callable[[], Awaitable[Sequence[int]]],
        room: Room,
        now: Now,
        keep_alive_seconds: float,
        send_within_seconds: float,
    ) -> None:
        self._callers = callers
        self._window = window
        self._ends = ends
        self._room = room
        self._now = now
        self._keep_alive_seconds = keep_alive_seconds
        self._send_within_seconds = send_within_seconds
        self.answered = Counter(dict.fromkeys(ANSWERS, 0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with ExitStack() as ending:
            answer = await self._answer(Request(scope), ending)
            self.answered[_word_of(answer)] += 1
            await answer(scope, receive, send)

    async def _answer(self, request: Request, ending: ExitStack) -> Response | Stream:
        if request.method != "GET":
            return answers.failed(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET"})
        given = request.headers.getlist("authorization")
        authorization = given[0] if len(given) == 1 else None
        try:
            caller = await self._callers.caller_of(authorization)
            if isinstance(caller, Rule):
                return answers.unknown_caller() if caller is Rule.TOKEN_UNKNOWN else answers.not_for_persons()
            asked = read_feed_request(request)
        except TokensAwayError:
            return answers.unavailable()
        except MalformedFeedError as error:
            return answers.malformed(str(error))
        return await self._read(caller, asked, ending, lambda: self._callers.has_ended(authorization, caller))

    async def _read(
        self, caller: FeedCaller, asked: FeedAsked, ending: ExitStack, has_ended: Callable[[], Awaitable[bool]]
    ) -> Response | Stream:
        if self._room.is_full:
            return answers.unavailable("There are as many readers as there may be. Please try again.")
        if self._room.is_full_for(caller.tenant):
            return answers.too_many_of_tenant(self._room.of_tenant_max)
        ending.enter_context(self._room.reader(caller.tenant))
        window = self._window()
        if window is None or window.closed:
            return answers.unavailable()
        places = await self._places(window, asked.after)
        if isinstance(places, Response):
            return places
        # Between this look at the window and the walk nothing is awaited, so nothing can leave the window.
        if not window.holds(places):
            return answers.gone(window.begin_text)
        walk = ending.enter_context(Walk(window, caller.tenant, places))
        for_seconds = (caller.until - self._now()).total_seconds()
        if not asked.events:
            lines = json_lines(
                walk, asked, keep_alive_seconds=self._keep_alive_seconds, for_seconds=for_seconds, has_ended=has_ended
            )
            return Stream("lines", lines, _JSON_LINES, self._send_within_seconds)
        events = server_sent_events(
            walk, keep_alive_seconds=self._keep_alive_seconds, for_seconds=for_seconds, has_ended=has_ended
        )
        return Stream("events", events, EVENTS_HEADERS, self._send_within_seconds)

    async def _places(self, window: FeedWindow, after: str | None) -> Sequence[FeedPlace] | Response:
        if after is None:
            return window.begin
        if after == NOW:
            return window.frontier
        places = read_position(after, len(window.frontier))
        if places is None:
            return answers.malformed("after is a position of this feed, or now. An empty one begins at the beginning.")
        if all(place.next <= read.next for place, read in zip(places, window.frontier, strict=True)):
            return places
        # Another process of the feed may have read further than this one. None has read beyond the end of the log.
        try:
            ends = await self._ends()
        except (OSError, TimeoutError, KafkaError):
            return answers.unavailable()
        within = all(place.next <= end for place, end in zip(places, ends, strict=True))
        return places if within else answers.gone(window.begin_text)


def _word_of(answer: Response | Stream) -> str:
    return answer.form if isinstance(answer, Stream) else str(answer.status_code)


def routes(call: FeedCall) -> list[BaseRoute]:
    """Return the route of the feed. It has no methods of its own, because Starlette would answer HEAD as GET."""
    return [Route(PATH, call)]
