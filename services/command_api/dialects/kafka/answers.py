"""What dialect D writes: the reply to the service that waits, and the record on `timer.dead.v1`. Pure."""

from dataclasses import replace

from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.dialects.kafka.reading import Dead
from shared.events.envelope import Headers, ReplyAddress
from shared.events.outcome import Outcome, join_replies, write_outcome
from shared.events.topics import COMMANDS


def reply_to(address: ReplyAddress, outcome: Outcome) -> bytes:
    """Return the reply to one command: the same bytes that the projector writes when it answers itself."""
    return join_replies([(address.request_id, write_outcome(outcome))])


def dead_headers(record: CommandRecord, dead: Dead) -> Headers:
    """Return the headers of a dead letter: those of the command, then why it is dead and where it lay.

    Where a name occurs twice (a dead letter that was sent once more, unchanged), the last one counts.
    """
    ours = (
        ("dead_reason", dead.reason),
        ("dead_detail", dead.sentence),
        ("dead_topic", COMMANDS),
        ("dead_partition", str(record.partition)),
        ("dead_offset", str(record.offset)),
    )
    return [*record.headers, *((name, text.encode()) for name, text in ours)]


def without_bytes(record: CommandRecord) -> CommandRecord:
    """Return a command that is only its place: for a dead letter that would be too large."""
    return replace(
        record, key=None, value=b"", headers=[("dead_bytes", b"too many: read them at the place named here")]
    )
