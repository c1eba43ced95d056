"""`rebuild` as it is asked: what is refused before anything is touched, and how a failure is told, in words."""

import json
import socket
import time
from typing import cast

import asyncpg
import pytest
from pydantic import SecretStr

from services.projector.ports import BusyError, FencedError, WriteRefusedError
from services.projector.rebuild import command
from services.projector.rebuild.command import Rebuild, RebuildArguments, RebuildSettings, rebuilt
from services.projector.rebuild.messages import RebuildError
from services.projector.rebuild.queries import query
from services.projector.rebuild.schema import SWITCHED, UNFINISHED, SchemaNames

SETTINGS = RebuildSettings(
    kafka_bootstrap_servers="localhost:1", postgres_dsn=SecretStr("postgresql://localhost:1/none")
)


def failed(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert rebuilt(SETTINGS, argv) == 1
    [line] = capsys.readouterr().out.splitlines()
    said: str = json.loads(line)["failed"]
    return said


@pytest.mark.parametrize("name", ["Shadow", "a-b", "a b", "1st", 'x"; DROP', "x" * 64])
def test_a_name_that_no_schema_has_is_refused(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert f"{name} is no name for a schema" in failed(capsys, "--schema", name)


@pytest.mark.parametrize(
    ("name", "why"),
    [("fold_v1", "fold_v1 is the live schema"), ("fold_v1_old", "fold_v1_old is what the switch calls the old tables")],
)
@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_name_that_the_switch_needs_is_refused_before_anything_is_filled(
    capsys: pytest.CaptureFixture[str], name: str, why: str, resume: tuple[str, ...]
) -> None:
    """Otherwise all is filled and compared first, and no switch can ever follow."""
    assert failed(capsys, "--schema", name, *resume).startswith(why)


def test_a_setting_of_projectors_that_is_wrong_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Helpers have them all, also those that a rebuild itself does not read."""
    monkeypatch.setenv("PROJECTOR_HTTP_PORT", "many")
    assert "these are wrong: PROJECTOR_HTTP_PORT." in failed(capsys)


def test_any_name_of_a_schema_is_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    """As far as Postgres, which is away. Nothing is filled yet, so there is nothing to go on with."""
    said = failed(capsys, "--schema", "shadow")
    assert said.startswith("Postgres failed: ConnectionRefusedError: [Errno 111] Connect call failed")
    assert "--resume" not in said


class Session:
    """Stands in for a session of Postgres: what stands written about each schema, and that both have one layout."""

    def __init__(self, **said: str) -> None:
        self._said = said

    async def fetchval(self, sql: str, schema: str) -> str | None:
        """Return what stands written about a schema."""
        assert sql == query("find_schema")
        return self._said.get(schema)

    async def fetch(self, *_: object) -> list[object]:
        """Return no column, no key."""
        return []


def a_rebuild(session: Session, *, resume: bool = False, beside: str = "fold_v2") -> Rebuild:
    """Return a rebuild that has come as far as to its lock."""
    asked = RebuildArguments(SchemaNames("fold_v1", beside), resume, keep_old=False, despite_differences=False)
    return Rebuild(SETTINGS, asked, cast("asyncpg.Pool", None), cast("asyncpg.Connection", session), None)


@pytest.mark.parametrize(
    ("session", "resume", "why"),
    [
        (Session(), False, "There is no schema fold_v1: run `stint migrate`."),
        (
            Session(fold_v1=""),
            True,
            "There is no unfinished fold_v2 to go on with. Begin one without --resume.",
        ),
        (
            Session(fold_v1="", fold_v2=UNFINISHED, fold_v1_old=""),
            True,
            "fold_v1_old is there, kept by an earlier rebuild. Drop it: DROP SCHEMA fold_v1_old CASCADE.",
        ),
        (
            Session(fold_v1="", fold_v2=""),
            True,
            "fold_v2 is there, and no rebuild made it. Give another name with --schema.",
        ),
    ],
    ids=["no live tables", "nothing unfinished", "kept before", "not ours"],
)
async def test_a_rebuild_that_cannot_begin_says_why_and_touches_nothing(
    session: Session, *, resume: bool, why: str
) -> None:
    """The session in hand knows no statement that would change something."""
    with pytest.raises(RebuildError) as end:
        await a_rebuild(session, resume=resume).run()
    assert str(end.value) == why


async def test_nothing_is_left_to_resume_after_a_switch() -> None:
    told = await a_rebuild(Session(fold_v1=f"{SWITCHED}2026-03-01T12:00:00+00:00"), resume=True).run()
    since = "2026-03-01T12:00:00+00:00"
    assert told == {"switched": False, "schema": "fold_v1", "nothing_to_resume": True, "in_force_since": since}


async def why_it_ends(monkeypatch: pytest.MonkeyPatch, error: Exception) -> str:
    """Return the words in which a rebuild ends that fails while it fills."""
    rebuild = a_rebuild(Session(fold_v1="", fold_v2=UNFINISHED), resume=True)

    async def fill() -> None:
        raise error

    monkeypatch.setattr(rebuild, "_fill", fill)
    with pytest.raises(RebuildError) as end:
        await rebuild.run()
    return str(end.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            FencedError("partitions [3] are no longer where they were read"),
            "Another process fills the same tables: partitions [3] are no longer where they were read. It may be a ",
        ),
        (BusyError("a checkpoint is held"), "Another process fills the same tables: a checkpoint is held. "),
        (
            WriteRefusedError("CharacterNotInRepertoireError"),
            "Postgres refuses a row (CharacterNotInRepertoireError): ",
        ),
    ],
    ids=lambda case: type(case).__name__,
)
async def test_tables_that_do_not_take_what_is_filled_end_the_rebuild_in_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    """They ended by a traceback. The connection with the lock may be lost while a rebuild goes on."""
    assert (await why_it_ends(monkeypatch, error)).startswith(said)


def test_postgres_that_takes_a_connection_and_says_nothing_is_not_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was waited for a minute, which is the default of the library."""
    monkeypatch.setattr(command, "_CONNECT_WITHIN_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = SecretStr(f"postgresql://127.0.0.1:{silent.getsockname()[1]}/none")
        began = time.monotonic()
        assert rebuilt(SETTINGS.model_copy(update={"postgres_dsn": dsn, "catch_up_processes": 0}), ()) == 1
        assert time.monotonic() - began < 20
    assert "Postgres failed: TimeoutError: it did not answer in time." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
            "ConnectionDoesNotExistError: connection was closed in the middle of operation",
        ),
        (TimeoutError(), "TimeoutError: it did not answer in time"),
        (asyncpg.InterfaceError("connection is closed"), "InterfaceError: connection is closed"),
    ],
    ids=["lost", "silent", "closed"],
)
async def test_what_is_filled_stays_when_postgres_fails(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    stays = "What is filled stays: `stint rebuild --resume` goes on there."
    assert await why_it_ends(monkeypatch, error) == f"Postgres failed: {said}. {stays}"
