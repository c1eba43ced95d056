"""Reading: how long a read takes, one after the other on one connection."""

import http.client
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from bench.growth.patterns import TIMERS_OF_AN_OWNER, Copied
from bench.load.wrk import Target
from deploy.local.trouble import Trouble

READS: Final = {
    "a timer": "/v1/timers/{timer}",
    "an owner's timers": "/v1/timers?owner={owner}",
    "an owner's days": "/v1/owners/{owner}/days?from={first}&to={last}",
    "an owner's violations": "/v1/violations?owner={owner}",
    "the tenant's open timers": "/v2/timer/open",
}
_TIMEOUT_SECONDS: Final = 10.0


def seconds_of_a_read(what: str, targets: Sequence[Target], timers: Sequence[Copied]) -> list[float]:
    """Return the median of the seconds that an answer of each target takes. They are asked in turn, timer by timer.

    Raise `Trouble` for an answer that is none.
    """
    took: list[list[float]] = [[] for _ in targets]
    with ExitStack() as held:
        connections = [
            held.enter_context(
                closing(http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=_TIMEOUT_SECONDS))
            )
            for target in targets
        ]
        everybody = list(zip(connections, targets, took, strict=True))
        for number, timer in enumerate(timers):
            for connection, target, seconds in everybody[:: -1 if number % 2 else 1]:
                seconds.append(_one(connection, target.token, _path(what, timer)))
    return [median(seconds) for seconds in took]


def _path(what: str, timer: Copied) -> str:
    last = timer.began.date() + timedelta(days=1)
    first = last - timedelta(days=TIMERS_OF_AN_OWNER)
    return READS[what].format(timer=timer.timer_id, owner=timer.owner, first=first, last=last)


def _one(connection: http.client.HTTPConnection, token: str, path: str) -> float:
    began = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - began
    if answer.status != http.HTTPStatus.OK:
        raise Trouble(f"GET {path} was answered {answer.status}: {body[:200]!r}")
    return took
