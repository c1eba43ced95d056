"""make bench-way: where a press that comes alone spends its time.

Waiting counts, so nothing else should run beside it.
"""

import argparse
import http.client
import json
import sys
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.console import ending
from bench.load import wrk
from bench.load.wrk import Load, Target, press
from bench.rig.product import left_by, product
from bench.way.stages import Span, Stamp, stages_of
from deploy.local.trouble import Trouble

_WARM_CLIENTS: Final = 16


def main() -> int:
    """Print the table, and return the status."""
    parser = argparse.ArgumentParser(prog="python -m bench.way", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="how long one client presses (5)")
    parser.add_argument("--warm-up", type=int, default=20, help="seconds of load before that (20)")
    arguments = parser.parse_args()
    return ending(lambda: _way(arguments.seconds, arguments.warm_up))


def _way(seconds: int, warm_up: int) -> int:
    wrk.require()
    with product(through="bench.way.stamped") as ours:
        print(f"warming up, {warm_up} s", flush=True)
        press(ours.target, Load(_WARM_CLIENTS, warm_up), "warm")
        print(f"one client, {seconds} s", flush=True)
        presses = _pressed(ours.target, seconds)
        stamps: list[Stamp] = []
        for service in (ours.api, ours.projector):
            service.stop()
            stamps += _read(left_by(service, ours.stack.settings))
    print(stages_of(presses, stamps))
    return 0


def _pressed(target: Target, seconds: int) -> list[Span]:
    """Start and stop timers, one press after the other. Raises `Trouble` at an answer that is none."""
    client = http.client.HTTPConnection(urlsplit(target.url).netloc)
    spans: list[Span] = []

    def pressed(path: str, body: bytes) -> dict[str, str]:
        begun = time.monotonic_ns()
        client.request(
            "POST", path, body, {"Authorization": f"Bearer {target.token}", "Content-Type": "application/json"}
        )
        answer = client.getresponse()
        read = answer.read()
        spans.append((begun, time.monotonic_ns()))
        if answer.status not in {http.client.OK, http.client.CREATED}:
            raise Trouble(f"{path} was answered with {answer.status}: {read.decode()[:200]}")
        return dict(json.loads(read))

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        timer = pressed("/v1/timers", b'{"owner":"alone"}')
        pressed(f"/v1/timers/{timer['id']}/stop", b"")
    return spans


def _read(path: Path) -> list[Stamp]:
    return [(int(when), what) for when, _, what in (line.partition(" ") for line in path.read_text().splitlines())]


if __name__ == "__main__":
    sys.exit(main())
