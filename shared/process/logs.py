"""Logs: one JSON line per event, libraries that repeat themselves seldom, and errors that quote no data.

Never: `repr` or `str` of an error that was raised over a record or a row. `loggable` returns what may be logged of it.
"""

import logging
import sys
import traceback
from typing import Final

import asyncpg
import structlog
from pydantic import ValidationError
from structlog.typing import ExcInfo

from shared.events.base import kinds_of
from shared.process.alarms import Alarms

_LOUD_LIBRARIES: Final = ("aiokafka", "faststream", "httpcore2", "httpx2", "uvicorn.access")
_REPEATED_AFTER_SECONDS: Final = 10.0
_SENTENCES_MAX: Final = 1000
_CAUSES_MAX: Final = 10


def configure_logging(service: str, alarms: Alarms | None = None) -> None:
    """Write one JSON line per event to stderr, with the service's name. Libraries write from WARNING on.

    `alarms` counts the errors among our own events.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *([] if alarms is None else [alarms.count]),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(traceback_of),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Seldom())
    for library in _LOUD_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


def loggable(error: BaseException) -> str:
    """Return what a log line may say of an error. The text quotes nothing of a record or a row."""
    name = type(error).__name__
    match error:
        case ValidationError():
            return f"{name}: {kinds_of(error)}"
        case asyncpg.PostgresError():
            # The message and its DETAIL quote the row. Type and SQLSTATE are enough to look the error up.
            return f"{name}: SQLSTATE {getattr(error, 'sqlstate', None)}"
        case ValueError() | KeyError():
            # The first quotes what was no number or no text, the second the key that was missing.
            return name
        case BaseExceptionGroup():
            return f"{name}: {', '.join(loggable(one) for one in error.exceptions)}"
        case _:
            return repr(error)


def traceback_of(exc_info: ExcInfo) -> str:
    """Return an error's traceback and those of its causes, the oldest first, each ended by its `loggable` text."""
    texts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(texts) < _CAUSES_MAX:
        texts.append("".join(traceback.format_tb(error.__traceback__)) + loggable(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\n".join(reversed(texts))


class _Seldom(logging.Filter):
    """Drops a library's line that it logged seconds ago: with a broker away, aiokafka logs 300 lines a second."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(_LOUD_LIBRARIES):
            return True
        sentence = (record.name, str(record.msg))
        if record.created - self._logged_at.get(sentence, 0.0) < _REPEATED_AFTER_SECONDS:
            return False
        if len(self._logged_at) >= _SENTENCES_MAX:
            self._logged_at.clear()
        self._logged_at[sentence] = record.created
        return True
