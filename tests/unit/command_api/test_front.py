"""The front answers as Starlette would: the same bytes, the same presses, the same counts and the same alarms.

Each request goes through the application of production twice, once with the front taken out of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import pytest
import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match
from starlette.types import Scope
from structlog.typing import EventDict

from services.command_api.app import Api
from services.command_api.desk.commands import Answer, Asked
from services.command_api.desk.desk import Away, OverThreshold, Unknown
from services.command_api.dialects import routes
from services.command_api.settings import Settings
from shared.events.rules import Rule
from shared.process.alarms import Alarms
from shared.process.http import front as front_module
from shared.process.http.front import DirectRoute, Front
from tests.support.fakes.desks import DANA, LONG, NOT_RECORDED, SHORT, WAITING, Clerk, refused
from tests.support.fakes.wire import OFFERS, said_to

START: Final = b'{"owner":"dana"}'
ZOHO: Final = "/people/api/timetracker/timer"
PAUSE: Final = f"{ZOHO}?timeLogId={SHORT}&timer=stop"
FORM: Final = f"timeLogId={SHORT}&timer=start".encode()
FORM_TYPE: Final = b"Content-Type: application/x-www-form-urlencoded\r\n"
SAID: Final = {"kafka_bootstrap_servers": "kafka.example:9092", "postgres_dsn": "postgresql://postgres.example/stint"}
TOO_LARGE: Final = Settings.model_validate(SAID | {"token_key": "k" * 32}).max_body_bytes + 1


def asks(method: str, target: str, body: bytes = b"", more: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    head = f"{method} {target} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer t\r\n".encode()
    return head + more + length + b"\r\n" + body


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"

ODD: Final[dict[str, list[bytes]]] = {
    "C start": [asks("POST", "/v1/timers", START)],
    "C start under a key": [asks("POST", "/v1/timers", START, b"Idempotency-Key: k\r\nPrefer: wait=0\r\n")],
    "C pause": [asks("POST", f"/v1/timers/{LONG}/pause", b'{"reason":"lunch"}')],
    "C resume": [asks("POST", f"/v1/timers/{SHORT}/resume")],
    "C stop": [asks("POST", f"/v1/timers/{LONG}/stop")],
    "A start": [asks("POST", "/v2/timer/start", START)],
    "A stop": [asks("PUT", f"/v2/timer/{LONG}", b"null")],
    "A stop of a timer called start": [asks("PUT", "/v2/timer/start")],
    "A stop of a timer called open": [asks("PUT", "/v2/timer/open")],
    "B pause in the query": [asks("GET", PAUSE)],
    "B resume in a form": [asks("POST", ZOHO, FORM, FORM_TYPE)],
    "B pause in XML": [asks("POST", PAUSE + "&format=xml")],
    "B nothing": [asks("POST", ZOHO)],
    "two on one connection": [asks("POST", "/v1/timers", START) + asks("PUT", f"/v2/timer/{LONG}")],
    "a list": [asks("GET", "/v1/timers")],
    "a trailing slash, C": [asks("POST", "/v1/timers/", START)],
    "a trailing slash, A": [asks("PUT", f"/v2/timer/{LONG}/")],
    "a trailing slash, B": [asks("POST", f"{ZOHO}/")],
    "two slashes": [asks("POST", f"/v1//timers/{LONG}/stop")],
    "no id": [asks("POST", "/v1/timers//stop")],
    "an encoded slash": [asks("POST", f"/v1/timers/{LONG}%2Fstop")],
    "an encoded slash as an id": [asks("POST", "/v1/timers/%2f/stop")],
    "an encoded letter": [asks("POST", f"/v1/timers/{LONG}/sto%70")],
    "an encoded newline at the end": [asks("POST", "/v1/timers%0A", START)],
    "an encoded percent": [asks("POST", "/v1/timers/%25/stop")],
    "bytes that are no text": [asks("POST", "/v1/timers/%ff/stop")],
    "an owner that is no text": [asks("DELETE", "/v1/owners/Jos%E9/texts")],
    "a letter beyond ASCII": [asks("POST", "/v1/timers/\u05d0/stop")],
    "capitals": [asks("POST", "/V1/timers", START)],
    "another word": [asks("POST", f"/v1/timers/{LONG}/end")],
    "a whole address": [asks("POST", f"http://other.test/v1/timers/{LONG}/stop")],
    "a query, C": [asks("POST", f"/v1/timers/{LONG}/stop?at=now")],
    "an empty query": [asks("POST", f"/v1/timers/{LONG}/stop?")],
    "an empty parameter": [asks("POST", f"/v1/timers/{LONG}/stop?&x=")],
    "HEAD, C": [asks("HEAD", "/v1/timers")],
    "HEAD, C stop": [asks("HEAD", f"/v1/timers/{LONG}/stop")],
    "HEAD, A": [asks("HEAD", "/v2/timer/start")],
    "HEAD, B": [asks("HEAD", PAUSE)],
    "OPTIONS": [asks("OPTIONS", "/v1/timers")],
    "DELETE": [asks("DELETE", "/v1/timers")],
    "PUT, C": [asks("PUT", f"/v1/timers/{LONG}/stop")],
    "POST, A stop": [asks("POST", f"/v2/timer/{LONG}")],
    "PUT, B": [asks("PUT", ZOHO)],
    "chunked": [asks("POST", "/v1/timers", more=CHUNKED) + chunked(b'{"own', b'er":"dana"}')],
    "chunked, in pieces": [asks("POST", "/v1/timers", more=CHUNKED), chunked(START)[:9], chunked(START)[9:]],
    "chunked, empty": [asks("POST", f"/v1/timers/{LONG}/stop", more=CHUNKED) + chunked()],
    "a body in pieces": [asks("POST", "/v1/timers", START)[:-5], START[-5:]],
    "an offer of h2c": [asks("POST", "/v1/timers", START, OFFERS[0])],
    "an offer of a web socket": [asks("POST", ZOHO, FORM, OFFERS[1] + FORM_TYPE)],
    "asked to go on": [asks("POST", "/v1/timers", more=b"Expect: 100-continue\r\nContent-Length: 16\r\n"), START],
    "asked to go on, B": [asks("POST", ZOHO, more=FORM_TYPE + b"Expect: 100-continue\r\nContent-Length: 40\r\n"), FORM],
    "too large": [asks("POST", "/v1/timers", b"x" * TOO_LARGE)],
    "too large, A": [asks("POST", "/v2/timer/start", b"x" * TOO_LARGE)],
    "too large, B": [asks("POST", ZOHO, b"x" * TOO_LARGE, FORM_TYPE + b"Accept: text/xml\r\n")],
    "too large, chunked": [asks("POST", "/v1/timers", more=CHUNKED) + chunked(b"x" * TOO_LARGE, b"y")],
    "far too large": [asks("POST", "/v1/timers", more=b"Content-Length: 99999999\r\n"), b"x"],
    "broken JSON": [asks("POST", "/v1/timers", b'{"owner":')],
    "broken JSON, A": [asks("POST", "/v2/timer/start", b"[1")],
    "a member twice": [asks("POST", "/v1/timers", b'{"owner":"dana","owner":"noam"}')],
    "no UTF-8": [asks("POST", "/v1/timers", b'{"owner":"\xff"}')],
    "an unknown member": [asks("POST", "/v1/timers", b'{"owner":"dana","x":1}')],
    "no body": [asks("POST", "/v1/timers")],
    "the caller is gone": [asks("POST", "/v1/timers", START)[:-5]],
    "the caller of A is gone": [asks("PUT", f"/v2/timer/{LONG}", b"null")[:-1]],
    "the caller of B is gone": [asks("POST", ZOHO, FORM, FORM_TYPE)[:-1]],
    "a key twice": [asks("POST", "/v1/timers", START, b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n")],
    "a token twice": [asks("POST", "/v1/timers", START, b"Authorization: Bearer u\r\n")],
    "close": [asks("POST", "/v1/timers", START, b"Connection: close\r\n")],
}


class Bug(Clerk):
    """A clerk whose submitter has a bug."""

    async def submit(self, asked: Asked) -> Answer:
        await super().submit(asked)
        raise LookupError("a bug")


MOODS: Final[dict[str, Callable[[], Clerk]]] = {
    "accepted": Clerk,
    "a person": lambda: Clerk(caller=DANA),
    "unknown": lambda: Clerk(caller=Unknown()),
    "away": lambda: Clerk(caller=Away()),
    "refused": lambda: Clerk(answer=refused(Rule.NOT_LEGAL_NOW)),
    "waiting": lambda: Clerk(answer=WAITING),
    "not recorded": lambda: Clerk(answer=NOT_RECORDED),
    "no policy": lambda: Clerk(policy=None),
    "locked out": lambda: Clerk(caller=DANA, over_threshold=OverThreshold(7)),
    "a bug": Bug,
}

Told = tuple[bytes, bool, list[Asked], Counter[object], list[str | None], list[EventDict]]


@cache
def _api() -> Api:
    return Api(Settings.model_validate(SAID | {"token_key": "k" * 32}), Alarms(frozenset()))


class Way:
    """The application of production on a clerk's desk, with its front or without."""

    def __init__(self, clerk: Clerk, *, front: bool) -> None:
        self.clerk = clerk
        api = _api()
        api.desk = clerk.desk()
        self._app = api.app()
        innermost: object = self._app.user_middleware[-1].cls
        assert innermost is Front
        if not front:
            self._app.user_middleware.pop()

    async def told(self, pieces: list[bytes]) -> Told:
        """Say the pieces on a connection; return what was written, closed, pressed, counted, shown and logged."""
        clerk = self.clerk
        for kept in (clerk.submitted, clerk.shown, clerk.tally.turned_away):
            kept.clear()
        with structlog.testing.capture_logs() as logs:
            written, closed = await said_to(self._app, pieces)
        entries: list[EventDict] = [{**entry, "exc_info": repr(entry.get("exc_info"))} for entry in logs]
        return written, closed, [*clerk.submitted], Counter(clerk.tally.turned_away), [*clerk.shown], entries


@pytest.fixture(scope="module")
async def ways() -> tuple[Way, Way]:
    """Both ways to an ordinary clerk: with the front, and without it."""
    return Way(Clerk(), front=True), Way(Clerk(), front=False)


@pytest.mark.parametrize("odd", ODD)
async def test_a_request_is_answered_the_same_with_and_without_the_front(odd: str, ways: tuple[Way, Way]) -> None:
    with_front, without = ways
    assert await with_front.told(ODD[odd]) == await without.told(ODD[odd])


@pytest.mark.parametrize("mood", MOODS)
async def test_whatever_becomes_of_a_press_it_is_answered_the_same(mood: str) -> None:
    with_front, without = (Way(MOODS[mood](), front=front) for front in (True, False))
    for odd, pieces in ODD.items():
        if odd.startswith(("A ", "B ", "C ")):
            told = await with_front.told(pieces)
            assert told == await without.told(pieces), odd
            assert told[0].startswith(b"HTTP/1.1 "), odd


async def test_the_odd_requests_above_do_what_their_names_say(ways: tuple[Way, Way]) -> None:
    """The control of both: answers of many kinds are compared, presses among them, and an alarm."""
    heard = {odd: await ways[0].told(pieces) for odd, pieces in ODD.items()}
    statuses = Counter(written[9:12] for written, *_ in heard.values())
    assert statuses.keys() == {b"100", b"200", b"201", b"400", b"404", b"405", b"413", b""}
    assert len(heard["two on one connection"][2]) == 2
    assert [entry["event"] for entry in heard["the caller is gone"][-1]] == ["request_failed"]
    assert sum(len(told[2]) for told in heard.values()) > 20


@pytest.mark.parametrize("odd", ["bytes that are no text", "an owner that is no text"])
async def test_a_path_that_is_no_text_is_malformed_on_both_ways(odd: str, ways: tuple[Way, Way]) -> None:
    for way in ways:
        written, _, pressed, *_ = await way.told(ODD[odd])
        assert (written[9:12], b'"rule":"R03"' in written, pressed) == (b"400", True, [])


async def test_without_its_look_at_escapes_the_front_would_press(
    ways: tuple[Way, Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what goes wrong in the front is noticed by the tests above."""
    monkeypatch.setattr(front_module, "_ESCAPE", b"\xff")
    with_front, without = [await way.told(ODD["an encoded slash"]) for way in ways]
    assert with_front != without
    assert len(with_front[2]) == 1


def scopes() -> Iterator[Scope]:
    segments = (
        "",
        "/",
        "/start",
        "/open",
        f"/{LONG}",
        f"/{LONG}/stop",
        "/x/pause",
        "/x/resume",
        "/x/history",
        "/timer",
    )
    for base in ("/v1/timers", "/v2/timer", "/oauth/token", "/people/api/timetracker", "/v1/policy", "/v1/owners/x"):
        for path in (base + segment for segment in segments):
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                yield {"type": "http", "method": method, "path": path, "raw_path": path.encode()}


def first(all_routes: list[BaseRoute], scope: Scope) -> BaseRoute | None:
    return next((route for route in all_routes if route.matches(scope)[0] is Match.FULL), None)


def test_a_direct_route_is_the_one_that_starlette_would_take() -> None:
    all_routes = routes(Clerk().desk())
    front = Front(Starlette(), routes=all_routes, in_words=lambda _, __: pytest.fail("no call was made"))
    taken: list[DirectRoute] = []
    for scope in scopes():
        route = front.route_of({**scope})
        if route is not None:
            assert route is first(all_routes, scope), scope
            taken.append(route)
        else:
            found = first(all_routes, scope)
            assert not isinstance(found, DirectRoute) or scope["method"] not in found.direct, scope
    assert all(route in taken for route in all_routes if isinstance(route, DirectRoute))


def test_every_press_of_every_dialect_is_direct() -> None:
    direct = {
        (method, route.path)
        for route in routes(Clerk().desk())
        if isinstance(route, DirectRoute)
        for method in route.direct
    }
    verbs = {("POST", f"/v1/timers/{{timer_id}}/{verb}") for verb in ("pause", "resume", "stop")}
    assert direct == verbs | {
        ("POST", "/v1/timers"),
        ("POST", "/v2/timer/start"),
        ("PUT", "/v2/timer/{timer_id}"),
        ("GET", ZOHO),
        ("POST", ZOHO),
    }


def test_a_root_path_is_left_to_starlette() -> None:
    front = Front(Starlette(), routes=routes(Clerk().desk()), in_words=lambda _, __: pytest.fail("no call was made"))
    scope = {"type": "http", "method": "POST", "path": "/v1/timers", "raw_path": b"/v1/timers"}
    assert front.route_of({**scope}) is not None
    assert front.route_of({**scope, "root_path": "/v1"}) is None
