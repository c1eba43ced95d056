"""The API and the feed, asked over HTTP as a balancer asks them. Blocking: call it in a thread."""

import json
import re
import urllib.error
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final

from services.stint_cli.watch.diagnosis import Diagnosis

_WITHIN_SECONDS: Final = 5.0
# What urllib raises for an address that cannot be one, a port that speaks no HTTP, and a process that is away.
_NO_ANSWER: Final = (OSError, ValueError, OverflowError, HTTPException)
_LAG: Final = re.compile(r"^stint_feed_lag_offsets\{.*\} (\S+)$", re.MULTILINE)


def of_the_api(url: str) -> Diagnosis:
    """Return what is found of an API at this address."""
    advice = "Look at its log for the alarm of that name; `clock`: correct the clocks (NTP)."
    return _readiness("api", f"the API at {url}", url, advice, "Start the API, or correct STINT_CLI_HTTP_URL.")


def of_the_feed(url: str) -> Diagnosis:
    """Return what is found of a feed at this address, and how far it is behind the judged stream."""
    advice = "`tail`: look at Kafka, and in its log for the alarm `feed_tail_lost`; `stays`: it is ending."
    away = "Start the feed, or correct STINT_CLI_FEED_URL: the address of its own process, not the gateway's."
    ready = _readiness("feed", f"the feed at {url}", url, advice, away)
    if ready.advice is not None:
        return ready
    try:
        status, body = _read(f"{url}/metrics")
        lags = [float(lag) for lag in _LAG.findall(body.decode())]
    except _NO_ANSWER as error:
        return Diagnosis("feed", f"the feed at {url} does not tell its metrics: {error}", away)
    if status != HTTPStatus.OK:
        return Diagnosis("feed", f"the feed at {url} does not tell its metrics: status {status}", away)
    behind = None if not lags else int(sum(lags))
    far = "has not looked yet how far it is behind" if behind is None else f"is {behind} outcomes behind"
    return Diagnosis("feed", f"{ready.found}, and {far}", more={"behind": behind})


def _readiness(check: str, what: str, url: str, unready: str, away: str) -> Diagnosis:
    try:
        status, body = _read(f"{url}/readyz")
    except _NO_ANSWER as error:
        return Diagnosis(check, f"{what} does not answer: {error}", away)
    if status == HTTPStatus.OK:
        return Diagnosis(check, f"{what} is ready")
    checks = _checks_in(body)
    if checks is None:
        return Diagnosis(check, f"{what} does not answer, something else does: status {status}", away)
    not_yet = ", ".join(name for name, fine in checks.items() if not fine) or f"status {status}"
    return Diagnosis(check, f"{what} is not ready: {not_yet}", unready)


def _checks_in(body: bytes) -> dict[str, Any] | None:
    """Return the checks of a process of ours. None: a gateway or another program said it."""
    try:
        checks = json.loads(body)["checks"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return checks if isinstance(checks, dict) else None


def _read(url: str) -> tuple[int, bytes]:
    """Return the status of an answer, and its body."""
    try:
        with urllib.request.urlopen(url, timeout=_WITHIN_SECONDS) as answer:  # noqa: S310 - our own setting
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read()
