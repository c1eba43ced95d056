"""The local stack leaves what the command `stint` needs to find it."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local import services
from deploy.local.__main__ import DATA
from deploy.local.postgres import Postgres
from deploy.local.settings import ROOT, Settings
from deploy.local.stack import Stack
from services.stint_cli.terminal.local import SETTINGS_FILE, local_settings

OURS = {
    "COMMAND_API_POSTGRES_DSN": "stint_command_api",
    "PROJECTOR_POSTGRES_DSN": "stint_projector",
    "FEED_POSTGRES_DSN": "stint_feed",
    "STINT_CLI_POSTGRES_DSN": "stint",
}


def test_stint_finds_a_stack_by_its_folder_alone(tmp_path: Path) -> None:
    """Also one whose ports were given to another shell."""
    stack = Stack(Settings(home=tmp_path, kafka_port=29092, http_port=28080))
    services.leave_settings(stack)
    found = local_settings({"STINT_HOME": str(tmp_path)})
    assert found == {name: value for name, value in services.environment(stack).items() if name in found}
    assert found["STINT_CLI_KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:29092"
    assert found["STINT_CLI_HTTP_URL"] == "http://127.0.0.1:28080"
    assert found["STINT_CLI_FEED_URL"] == stack.settings.feed_url
    assert {"STINT_CLI_POSTGRES_DSN", "STINT_CLI_TOKEN_KEY"} <= found.keys()
    assert stat.S_IMODE((tmp_path / SETTINGS_FILE).stat().st_mode) == 0o600


def test_each_service_logs_in_as_a_role_of_its_own_and_the_commands_as_the_owner(tmp_path: Path) -> None:
    said = services.environment(Stack(Settings(home=tmp_path)))
    logins = {name: urlsplit(dsn) for name, dsn in said.items() if name.endswith("_POSTGRES_DSN")}
    assert {name: login.username for name, login in logins.items() if name in OURS} == OURS
    assert len({login.password for name, login in logins.items() if name in OURS}) == len(OURS)


def test_a_reset_deletes_those_settings_too() -> None:
    """They hold a password and a key."""
    assert SETTINGS_FILE in DATA


def test_a_run_is_asked_about_from_a_shell_with_other_ports(tmp_path: Path) -> None:
    run = Settings(home=tmp_path, http_port=18080)
    run.run.mkdir()
    asked = Settings(home=tmp_path)
    assert asked.as_it_runs() == asked
    run.note_ports()
    assert asked.as_it_runs().ports == run.ports


def test_a_new_folder_has_few_partitions_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    """P is for life, and a folder may be older than the number of this release."""
    stack = Stack(Settings(home=tmp_path))
    assert services.partitions(stack) == services.NEW_PARTITIONS
    for name in (*(f"timer.events.v1-{n}" for n in range(12)), "timer.commands.v1-12", "timer.events.v1-x-delete"):
        (stack.kafka.log / name).mkdir(parents=True)
    assert services.partitions(stack) == 12


def test_whoever_starts_a_stack_prepares_it_with_the_partitions_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bench too: it measures what `make run` starts, and each partition has its part in what a press costs."""
    said: list[tuple[str, ...]] = []

    def stint(_: Stack, *arguments: str) -> str:
        said.append(arguments)
        return "Migrated, topics made."

    monkeypatch.setattr(services, "stint", stint)
    monkeypatch.setattr(Postgres, "make_roles", lambda _: said.append(("roles",)))
    stack = Stack(Settings(home=tmp_path))
    assert services.prepare(stack) == "Migrated, topics made."
    env_file = str(stack.settings.demo_env)
    # Migrations give rights to the roles that are there.
    assert said == [("roles",), ("prepare", "--partitions", str(services.NEW_PARTITIONS), "--env-file", env_file)]
    for starts in ("deploy/local/supervisor.py", "bench/rig/product.py"):
        assert "services.prepare(stack)" in (ROOT / starts).read_text(encoding="utf-8")
