"""Commands as another service writes them."""

import json

from services.command_api.desk.intake.ports import CommandRecord
from tests.support.fakes.desks import NOON

REPLY_TOPIC = "timer.replies.payroll"


def headers(verb: str = "start", **other: str | bytes | None) -> list[tuple[str, bytes | None]]:
    """Return the headers of a good command. `other` replaces some of them; None leaves one out."""
    said: dict[str, str | bytes | None] = {
        "ce_specversion": "1.0",
        "ce_type": f"timer.{verb}.v1",
        "ce_id": "order-17",
        "ce_source": "crm",
        "content-type": "application/json",
        "reply_to": REPLY_TOPIC,
        "reply_partition": "3",
    }
    named = {name.replace("content_type", "content-type"): value for name, value in other.items()}
    return [
        (name, value if isinstance(value, bytes) else value.encode())
        for name, value in (said | named).items()
        if value is not None
    ]


def command(
    verb: str = "start", said: list[tuple[str, bytes | None]] | None = None, value: bytes | None = None, **body: object
) -> CommandRecord:
    """Return one command of the tenant acme: a start of dana's, unless `body` says more, or `value` something else."""
    whole = {"tenant": "acme"} | ({"owner": "dana"} if verb == "start" else {}) | body
    given = {name: member for name, member in whole.items() if member is not ...}
    return CommandRecord(
        partition=4,
        offset=17,
        key=b"dana",
        value=json.dumps(given).encode() if value is None else value,
        headers=headers(verb) if said is None else said,
        written_at=NOON,
    )
