"""The API and the feed, asked over HTTP as a balancer asks them. Blocking: call it in a thread."""

import json
import re
import urllib.error
import urllib.request
from typing import Final

from services.stint_cli.watch.diagnosis import Diagnosis

_WITHIN_SECONDS: Final = 5.0
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
        lags = [float(lag) for lag in _LAG.findall(_read(f"{url}/metrics").decode())]
    except (OSError, ValueError) as error:
        return Diagnosis("feed", f"the feed at {url} does not tell its metrics: {error}", away)
    behind = None if not lags else int(sum(lags))
    said = "has not looked yet how far it is behind" if behind is None else f"is {behind} outcomes behind"
    return Diagnosis("feed", f"{ready.found}, and {said}", more={"behind": behind})


def _readiness(check: str, what: str, url: str, unready: str, away: str) -> Diagnosis:
    try:
        _read(f"{url}/readyz")
    except urllib.error.HTTPError as error:
        said = json.loads(error.read() or b"{}").get("checks", {})
        not_yet = ", ".join(name for name, fine in said.items() if not fine) or f"status {error.code}"
        return Diagnosis(check, f"{what} is not ready: {not_yet}", unready)
    except (OSError, ValueError) as error:
        return Diagnosis(check, f"{what} does not answer: {error}", away)
    return Diagnosis(check, f"{what} is ready")


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_WITHIN_SECONDS) as answer:  # noqa: S310 - our own setting
        said: bytes = answer.read()
    return said
