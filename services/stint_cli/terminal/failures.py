"""Failures in words for the person at the terminal, above all where what was asked for may have been done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from services.stint_cli.trouble import Trouble
from shared.kafka.clients import KafkaError

MAY_BE_DONE: Final = "What was asked for may have been done: look, or run it again."

# The connection ended before the answer came: the statement, or its commit, may have been carried out.
_POSTGRES_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.StatementCompletionUnknownError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectionError,
)


class Interrupted(Exception):  # noqa: N818 - as Trouble: what the person did, and no fault
    """The command was interrupted at the terminal."""


@contextmanager
def explained() -> Iterator[None]:
    """Raise Trouble when a part failed before it answered, and Interrupted after Ctrl-C. Other errors pass.

    What Postgres refused passes too: such a statement was rolled back, so its own words are enough. A bare TimeoutError
    or ConnectionError is always Postgres', because Kafka's clients have errors of their own.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted from None
    except TimeoutError as error:
        raise Trouble(f"Postgres did not answer in time. {MAY_BE_DONE} `stint doctor` looks at Postgres.") from error
    except (*_POSTGRES_LOST, asyncpg.InterfaceError) as error:
        if isinstance(error, asyncpg.InterfaceError) and type(error) is not asyncpg.InterfaceError:
            raise  # nothing was sent, because of a value or a setting
        raise Trouble(f"The connection to Postgres was lost ({_why(error)}). {MAY_BE_DONE}") from error
    except KafkaError as error:
        if "AuthorizationFailed" in type(error).__name__:
            raise
        raise Trouble(f"Kafka failed ({_why(error)}). {MAY_BE_DONE}") from error


def _why(error: Exception) -> str:
    text, name = " ".join(str(error).split()), type(error).__name__
    # Kafka's client puts the name into the text.
    return text if name in text else f"{name}: {text}".removesuffix(": ")
