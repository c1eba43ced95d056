"""A service with stamps: `python -m bench.way.stamped services.NAME FILE` runs it, and writes the stamps at its end.

A stamp is an entry in a list and a call of the clock. All stamps of a press cost a hundredth of its time.
"""

import runpy
import sys
import time
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection

# Bytes. Without a record, an answer for all partitions of the events has some 150.
_WITH_RECORDS: Final = 250

_stamps: list[tuple[int, str]] = []


def _stamp(what: str) -> None:
    _stamps.append((time.monotonic_ns(), what))


def _before(owner: Any, name: str, what: str) -> None:  # noqa: ANN401 - a class or a module
    of = getattr(owner, name)

    @wraps(of)
    def stamped(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
        _stamp(what)
        return of(*args, **named)

    setattr(owner, name, stamped)


def _around(owner: Any, name: str, what: str) -> None:  # noqa: ANN401 - as above
    of = getattr(owner, name)
    if not iscoroutinefunction(of):
        raise TypeError(f"{name} is no coroutine function")

    @wraps(of)
    async def stamped(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
        _stamp(f"{what} asked")
        try:
            return await of(*args, **named)
        finally:
            _stamp(f"{what} answered")

    setattr(owner, name, stamped)


def _request_name(who: str, request: Any) -> str | None:  # noqa: ANN401 - aiokafka ships no types
    kind = type(request).__name__.partition("Request")[0]
    if kind not in {"Produce", "Fetch"}:
        return None
    # aiokafka's request has its topics under one name, and the request that goes onto the wire under another.
    topics = request.topics if hasattr(request, "topics") else request._topics  # noqa: SLF001 - as said
    return f"{who}: {kind} of {', '.join(str(each[0]) for each in topics)}"


def _stamp_requests(who: str) -> None:
    send, take = AIOKafkaConnection.send, AIOKafkaConnection._handle_frame  # noqa: SLF001 - both ends of its socket

    def sent(self: Any, request: Any, *rest: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
        if name := _request_name(who, request):
            _stamp(f"{name} written")
        return send(self, request, *rest, **named)

    def taken(self: Any, frame: bytes) -> None:  # noqa: ANN401 - as above
        if name := _request_name(who, self._requests[0][1]):
            nothing = " with nothing" if "Fetch" in name and len(frame) < _WITH_RECORDS else ""
            _stamp(f"{name} answered{nothing}")
        take(self, frame)

    AIOKafkaConnection.send, AIOKafkaConnection._handle_frame = sent, taken  # noqa: SLF001 - as above


def _stamp_api() -> None:
    from services.command_api.submit.replies import Waiters  # noqa: PLC0415 - of this service alone
    from services.command_api.submit.sender import Sender  # noqa: PLC0415 - as above
    from shared.process.http.protocol import HttpProtocol  # noqa: PLC0415 - as above

    _before(HttpProtocol, "data_received", "API: request read")
    _before(Sender, "send", "API: press made")
    _before(Waiters, "answer", "API: verdict read")


def _stamp_projector() -> None:
    from services.projector.loop import projector  # noqa: PLC0415 - of this service alone
    from services.projector.store import postgres  # noqa: PLC0415 - as above

    _around(postgres.PostgresStore, "read", "projector: read")
    _around(postgres, "compare_and_set", "projector: commit")
    _before(projector, "send_replies", "projector: reply handed over")


_STAMPS: dict[str, tuple[str, Callable[[], None]]] = {
    "services.command_api": ("API", _stamp_api),
    "services.projector": ("projector", _stamp_projector),
}


def main(service: str, path: Path) -> None:
    """Run the service to its end, and write the stamps."""
    who, stamp_own = _STAMPS[service]
    stamp_own()
    _stamp_requests(who)
    sys.argv[1:] = []
    try:
        runpy.run_module(service, run_name="__main__", alter_sys=True)
    finally:
        path.write_text("".join(f"{when} {what}\n" for when, what in _stamps), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
