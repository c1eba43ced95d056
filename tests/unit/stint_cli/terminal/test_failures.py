"""What a command that failed says: whether what was asked for may have been done, and which part to look at."""

import asyncpg
import pytest
import typer
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    NotEnoughReplicasAfterAppendError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
)
from asyncpg.exceptions import _base

from services.stint_cli import run
from services.stint_cli.terminal.command import Answer, command

PERHAPS = "What was asked for may have been done: look, or run it again."


def stint(error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command that raises this, and return the exit status and stderr."""
    own = typer.Typer()

    @command(own, "press", example="stint press")
    async def _press() -> Answer:
        raise error

    monkeypatch.setattr(run, "app", own)
    status = run.run([])
    said = capsys.readouterr()
    assert said.out == ""
    return status, said.err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            asyncpg.ConnectionDoesNotExistError("connection was closed"),
            "The connection to Postgres was lost (ConnectionDoesNotExistError: connection was closed).",
        ),
        (
            asyncpg.AdminShutdownError("terminating connection"),
            "The connection to Postgres was lost (AdminShutdownError: terminating connection).",
        ),
        (
            asyncpg.InterfaceError("connection is closed"),
            "The connection to Postgres was lost (InterfaceError: connection is closed).",
        ),
        (ConnectionResetError(), "The connection to Postgres was lost (ConnectionResetError)."),
        (BrokenPipeError(32, "Broken pipe"), "The connection to Postgres was lost (BrokenPipeError: [Errno 32] Broken"),
        (TimeoutError(), "Postgres did not answer in time."),
        (KafkaConnectionError("no leader"), "Kafka failed (KafkaConnectionError: no leader)."),
        (KafkaTimeoutError(), "Kafka failed (KafkaTimeoutError)."),
        (RequestTimedOutError(), "Kafka failed ([Error 7] RequestTimedOutError)."),
        (NotEnoughReplicasAfterAppendError(), "Kafka failed ([Error 20] NotEnoughReplicasAfterAppendError)."),
    ],
)
def test_a_part_that_failed_before_its_answer_is_named_and_the_work_may_be_done(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, err = stint(error, monkeypatch, capsys)
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith(f"stint: {said}")
    assert PERHAPS in err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (asyncpg.CheckViolationError("new row violates a check"), "CheckViolationError: new row violates a check"),
        (asyncpg.QueryCanceledError("canceling statement"), "QueryCanceledError: canceling statement"),
        (_base.DataError("invalid input for query argument $1"), "DataError: invalid input for query argument $1"),
        (TopicAuthorizationFailedError("timer.policies.v1"), "TopicAuthorizationFailedError: "),
        (PermissionError(13, "Permission denied", "demo.env"), "PermissionError: [Errno 13] Permission denied: "),
    ],
)
def test_what_was_refused_is_said_in_the_words_of_the_refusal(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, err = stint(error, monkeypatch, capsys)
    assert (status, err.count("\n"), err[: len(said) + 7]) == (1, 1, f"stint: {said}")
    assert PERHAPS not in err


def test_an_interrupted_command_ends_with_130_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stint(KeyboardInterrupt(), monkeypatch, capsys) == (130, f"stint: interrupted. {PERHAPS}\n")
