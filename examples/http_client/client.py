"""An HTTP client that presses, waits and tries again, and never counts anything twice.

STINT_URL=http://127.0.0.1:8080 STINT_TOKEN=… python client.py dana
"""

import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import httpx2

GIVE_UP_AFTER_SECONDS: Final = 60.0
# Recorded and not judged yet; over the client's limit; the log or a part behind it is away. All say `Retry-After`.
COME_AGAIN: Final = frozenset({202, 429, 503})
# The request itself is wrong (a header, the URL), and was not sent: no retry mends it.
NEVER_SENT: Final = (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol)


class Stint:
    """Presses of one client. Each press has one key, however often it is sent: the first answer is the answer."""

    def __init__(
        self,
        http: httpx2.Client,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http, self._sleep, self._clock = http, sleep, clock

    def press(self, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Return the timer as judged. Raises httpx2.HTTPStatusError for a refusal, TimeoutError after a minute.

        A request that cannot be sent raises NEVER_SENT at once.

        Give a `key` of your own (an order, a shift) when the press must stay one press after your own crash.
        """
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        give_up_at = self._clock() + GIVE_UP_AFTER_SECONDS
        while self._clock() < give_up_at:
            try:
                answer = self._http.post(path, json=body, headers=headers)
            except NEVER_SENT:
                raise
            except httpx2.TransportError as error:
                # It may have been recorded or not. The key makes it the same press either way.
                why, wait = type(error).__name__, 1.0
            else:
                if answer.status_code not in COME_AGAIN:
                    return judged(answer)
                why, wait = str(answer.status_code), float(answer.headers.get("Retry-After", 1))
            print(f"{path}: {why}, again in {wait:g} s with the same key", flush=True)
            self._sleep(wait)
        raise TimeoutError(
            f"{path}: no verdict within {GIVE_UP_AFTER_SECONDS:g} s. The key {headers['Idempotency-Key']} stays good."
        )


def judged(answer: httpx2.Response) -> dict[str, Any]:
    """Return a timer, or raise what the problem document says (RFC 9457): `rule` names the rule that refused."""
    said: dict[str, Any] = answer.json()
    if answer.is_error:
        told = f"{answer.status_code} {said.get('rule', '')}: {said.get('detail', said.get('title'))}"
        raise httpx2.HTTPStatusError(told, request=answer.request, response=answer)
    return said


def setting(name: str) -> str:
    """Return a variable of the environment. One that is missing or empty ends the program with a sentence."""
    return os.environ.get(name) or sys.exit(
        f"{name} is not set, or empty: README.md beside this program says what to export."
    )


def main() -> None:
    """Start, pause, resume and stop a timer of the owner that the command line names."""
    headers = {"Authorization": f"Bearer {setting('STINT_TOKEN')}"}
    with httpx2.Client(base_url=setting("STINT_URL"), headers=headers, timeout=10) as http:
        stint = Stint(http)
        timer = stint.press("/v1/timers", {"owner": sys.argv[1], "account_id": "A-1"})
        print("start:", timer["state"])
        for verb in ("pause", "pause", "resume", "stop"):
            try:
                timer = stint.press(f"/v1/timers/{timer['id']}/{verb}", {})
                print(f"{verb}:", timer["state"], timer["total_minutes"], "minutes")
            except httpx2.HTTPStatusError as refusal:
                print(f"{verb}: {refusal}")


if __name__ == "__main__":
    try:
        main()
    except (httpx2.HTTPError, TimeoutError) as error:
        sys.exit(str(error))
