"""How our processes are run: logs, settings, and an end that does not hang."""

import asyncio
import logging
import sys
from collections.abc import Awaitable
from typing import Final

import structlog
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

_LOUD_LIBRARIES: Final = ("aiokafka", "faststream", "uvicorn.access")
_SAID_AGAIN_AFTER_SECONDS: Final = 10.0
_SENTENCES_MAX: Final = 1000


class ProcessSettings(BaseSettings):
    """Settings of one process: from the environment, else from a file in /run/secrets.

    The file bears the variable's name in small letters, as in `command_api_token_key`. There need be no such folder.
    """

    model_config = SettingsConfigDict(frozen=True, secrets_dir="/run/secrets")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - what each source was made with already
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a file in the working folder is nobody's settings
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the one that wins first. A machine without secret files is nothing to warn of."""
        files = NestedSecretsSettingsSource(file_secret_settings, secrets_dir_missing="ok")
        return init_settings, env_settings, files


def configure_logging(service: str) -> None:
    """Write one JSON line per event to stderr, with the service's name; libraries speak from WARNING on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
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


class _Seldom(logging.Filter):
    """Lets a library say each of its sentences once in a while: with a broker away, aiokafka says 300 a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(_LOUD_LIBRARIES):
            return True
        sentence = (record.name, str(record.msg))
        if record.created - self._said_at.get(sentence, 0.0) < _SAID_AGAIN_AFTER_SECONDS:
            return False
        if len(self._said_at) >= _SENTENCES_MAX:
            self._said_at.clear()
        self._said_at[sentence] = record.created
        return True


async def ended_within(seconds: float, ending: Awaitable[object], what: str) -> bool:
    """Wait for one step of a shutdown, at most `seconds`; say whether it came to its end. Never raises."""
    log = structlog.get_logger()
    step = asyncio.ensure_future(ending)
    # Not `wait_for`: a cancellation from within (aiokafka's stop does that to itself) would pass for one of ours.
    await asyncio.wait({step}, timeout=seconds)
    if not step.done():
        # A producer's stop hangs for as long as Kafka is away: what it still holds was never acknowledged.
        log.warning("shutdown_step_timed_out", step=what, after_seconds=seconds)
        return False
    if step.cancelled():
        log.warning("shutdown_step_cancelled", step=what)
        return False
    if (error := step.exception()) is not None:  # the other steps must still have their turn
        log.error("shutdown_step_failed", step=what, exc_info=error)
        return False
    return True


class Setbacks:
    """Logs what keeps failing: once when it begins, and once when it fails in another way, not at every try."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._last: str | None = None
        self._log = structlog.get_logger()

    def met(self, error: Exception, **fields: object) -> None:
        """Take one failure."""
        if repr(error) != self._last:
            self._last = repr(error)
            self._log.error(self._event, error=self._last, **fields)

    def over(self) -> None:
        """Take a success: the next failure is news again."""
        self._last = None
