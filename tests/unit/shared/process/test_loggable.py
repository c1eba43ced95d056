"""A log line about an error: enough to find the error, and nothing of the record that raised it."""

import json
import subprocess
import sys
from collections.abc import Callable

import asyncpg
import pytest
from pydantic import TypeAdapter, ValidationError
from structlog.testing import capture_logs

from shared.events.outcome import Outcome
from shared.process.backoff import Setbacks
from shared.process.logs import loggable, traceback_of

CANARY = "canary-7f3a"


def _of_a_record() -> Exception:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Outcome).validate_json(f'{{"verdict":"{CANARY}","v":"{CANARY}"}}')
    return caught.value


def _of_a_row() -> Exception:
    error = asyncpg.UniqueViolationError(f"duplicate key value ({CANARY})")
    error.detail = f"Key (owner)=({CANARY}) already exists."
    return error


def _of_bytes() -> Exception:
    with pytest.raises(UnicodeDecodeError) as caught:
        (CANARY.encode() + b"\xff").decode()
    return caught.value


def _of_a_name() -> Exception:
    return KeyError(CANARY)


def _of_a_number() -> Exception:
    with pytest.raises(ValueError, match=CANARY) as caught:
        int(CANARY)
    return caught.value


QUOTING = [_of_a_record, _of_a_row, _of_bytes, _of_a_name, _of_a_number]


@pytest.mark.parametrize("quoting", QUOTING)
def test_an_error_that_quotes_its_record_is_told_without_it(quoting: Callable[[], Exception]) -> None:
    error = quoting()
    assert CANARY in repr(error) + str(error)
    assert CANARY not in loggable(error)
    assert loggable(error).startswith(type(error).__name__)


@pytest.mark.parametrize("quoting", QUOTING)
def test_a_traceback_says_where_and_quotes_nothing(quoting: Callable[[], Exception]) -> None:
    """The record may be quoted by the error itself, by its cause, or by one of a group."""
    for error in (quoting(), ExceptionGroup("several", [quoting()])):
        with pytest.raises(RuntimeError) as bug:
            raise RuntimeError("a bug") from error
        whole = traceback_of((RuntimeError, bug.value, bug.value.__traceback__))
        assert CANARY not in whole
        assert type(quoting()).__name__ in whole
        assert "test_loggable.py" in whole
        assert whole.endswith("RuntimeError('a bug')")


def test_a_process_writes_its_tracebacks_so() -> None:
    """In a process of its own, because logging is configured once for each."""
    program = """
import sys
import structlog
from shared.process.logs import configure_logging
configure_logging("test")
try:
    raise KeyError(sys.argv[1])
except KeyError as error:
    structlog.get_logger().error("failed", exc_info=error)
"""
    # Not in the program's text: from 3.13 on a traceback shows the lines of such a program too.
    done = subprocess.run([sys.executable, "-c", program, CANARY], check=True, capture_output=True, text=True)
    [line] = done.stderr.splitlines()
    assert json.loads(line)["exception"].endswith("KeyError")
    assert CANARY not in line


def test_an_error_is_told_by_its_kind_and_state() -> None:
    assert "literal_error" in loggable(_of_a_record())
    assert loggable(_of_a_row()) == "UniqueViolationError: SQLSTATE 23505"


def test_any_other_error_is_told_in_its_own_words() -> None:
    assert loggable(ConnectionRefusedError(111, "refused")) == "ConnectionRefusedError(111, 'refused')"


@pytest.mark.parametrize("quoting", QUOTING)
def test_setbacks_quote_nothing_of_a_record(quoting: Callable[[], Exception]) -> None:
    with capture_logs() as said:
        Setbacks("feed_lost").failed(quoting())
    assert CANARY not in str(said)
