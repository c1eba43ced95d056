"""The local stack is found by its folder alone, whole or not at all."""

from pathlib import Path

from services.stint_cli.terminal.env_file import write_env
from services.stint_cli.terminal.local import SETTINGS_FILE, local_settings

LEFT = {
    "STINT_CLI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:19092",
    "STINT_CLI_POSTGRES_DSN": "postgresql://stint@here/stint",
}


def test_the_settings_that_a_stack_left_are_found(tmp_path: Path) -> None:
    write_env(tmp_path / SETTINGS_FILE, LEFT | {"PATH": "/elsewhere"}, "of a stack")
    assert local_settings({"STINT_HOME": str(tmp_path), "HOME": "/root"}) == LEFT


def test_one_setting_of_the_environment_keeps_all_of_the_stacks_out(tmp_path: Path) -> None:
    """Otherwise a command could write to the Kafka of one deployment and to the Postgres of another."""
    write_env(tmp_path / SETTINGS_FILE, LEFT, "of a stack")
    named = {"STINT_HOME": str(tmp_path), "STINT_CLI_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
    assert local_settings(named) == {}


def test_without_a_stack_there_are_no_settings(tmp_path: Path) -> None:
    assert local_settings({"STINT_HOME": str(tmp_path)}) == {}
