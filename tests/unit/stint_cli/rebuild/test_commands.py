"""What `stint rebuild` says: advice to resume names the schema that was asked for."""

from contextlib import nullcontext
from typing import Any

import pytest

from services.stint_cli.__main__ import main
from services.stint_cli.rebuild import commands
from services.stint_cli.trouble import Trouble

STAYS = "Kafka failed. What is filled stays: `stint rebuild --resume` goes on there."
DIFFERENT = {"switched": False, "schema": "shadow", "differences": []}


@pytest.mark.parametrize(
    ("asked", "resume"),
    [([], "stint rebuild --resume"), (["--schema", "shadow"], "stint rebuild --schema shadow --resume")],
)
def test_how_to_go_on_names_the_schema_that_was_asked_for(
    asked: list[str], resume: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its name, the next run looked for another one: there was nothing to go on with."""
    monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", "nowhere:1")
    monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", "postgresql://nowhere/stint")
    answers: list[Any] = [Trouble(STAYS), DIFFERENT]

    async def rebuilt(*_: object) -> Any:  # noqa: ANN401 - a result, or what is raised
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(commands, "rebuilt", rebuilt)
    for part in ("opened", "Brokers"):
        monkeypatch.setattr(commands, part, lambda _: nullcontext())
    assert [main(["rebuild", *asked]), main(["rebuild", *asked])] == [1, 1]
    said = capsys.readouterr()
    assert f"`{resume}` goes on there." in said.err
    assert f"`{resume} --despite-differences`" in said.out
