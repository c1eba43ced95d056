"""What a rebuild says of a failure: one sentence that names the part."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError

from services.projector.rebuild.messages import failed


def of_two_lines() -> Exception:
    """Return an error of Postgres with a hint."""
    error = asyncpg.DiskFullError("could not extend file")
    error.hint = "Check free disk space."
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "TimeoutError: it did not answer in time."),
        (TimeoutError("after 10 s"), "TimeoutError: after 10 s."),
        (KafkaError(), "KafkaError."),
        (KafkaConnectionError("no connection"), "KafkaConnectionError: no connection."),
        (asyncpg.InterfaceError("connection is closed"), "InterfaceError: connection is closed."),
        (of_two_lines(), "DiskFullError: could not extend file HINT: Check free disk space."),
    ],
    ids=repr,
)
def test_a_failure_is_one_sentence_that_names_the_part(error: Exception, said: str) -> None:
    """Some errors have no text, some have several lines, and Kafka's begin with their own name."""
    assert failed("Kafka", error) == f"Kafka failed: {said}"
