"""Addresses: what a client cannot read is refused at start, in a sentence that quotes nothing."""

from typing import Final

import pytest
from aiokafka.conn import collect_hosts

from services.command_api.settings import Settings as ApiSettings
from services.feed.settings import Settings as FeedSettings
from services.projector.settings import Settings as ProjectorSettings
from services.stint_cli.__main__ import main
from shared.addresses import checked_brokers, checked_postgres
from shared.settings import read_settings

SECRET: Final = "s3cret"
CUT: Final = [
    f"postgresql://stint:{SECRET}/x@postgres:5432/stint",
    f"postgresql://stint:12/{SECRET}@postgres:5432/stint",
    f"postgresql://stint:{SECRET}#x@postgres/stint",
    f"postgresql://stint:12#{SECRET}@postgres/stint",
    f"postgresql://stint:{SECRET}?x@postgres/stint",
    f"postgresql://stint:12?{SECRET}@postgres/stint",
    f"postgresql://stint:[{SECRET}@postgres/stint",
    f"postgresql://stint:{SECRET}]x@postgres/stint",
    f"postgresql://stint:x@{SECRET}:y@postgres/stint",
]


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://stint:secret@postgres:5432/stint",
        "postgres://postgres",
        "postgresql:///stint",
        "postgresql://stint@/stint?host=/var/run/postgresql",
        "postgresql://stint@/stint?host=/tmp,/run&port=5433,5434",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/stint",
        "postgresql://stint:secret@one:5432,two:5433/stint?target_session_attrs=read-write",
        "postgresql://stint:secret@one,two/stint",
        "postgresql://stint:secret@[::1]:5432,[fe80::1]/stint",
        "postgresql://stint:%2F%3F%23%5B%40@postgres/stint?sslmode=verify-full&sslrootcert=/a/file",
        "postgresql://postgres/stint?user=stint&password=a@b&application_name=x",
    ],
)
def test_an_address_that_asyncpg_can_read_is_taken(dsn: str) -> None:
    assert checked_postgres(dsn) == dsn


@pytest.mark.parametrize(
    "dsn",
    [
        *CUT,
        "",
        "postgres:5432",
        "https://stint:secret@postgres/stint",
        "postgresql://stint:secret@postgres:0/stint",
        "postgresql://stint:secret@postgres:99999/stint",
        "postgresql://stint:secret@one,,two/stint",
        "postgresql://one,two/stint?host=a,b,c&port=x",
        "postgresql:///stint?host=a,b,c&port=1,2",
    ],
)
def test_another_address_of_postgres_is_refused_without_a_quote(dsn: str) -> None:
    with pytest.raises(ValueError, match=r"percent-encode / \? # \[ @ in the password") as refused:
        checked_postgres(dsn)
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_wrong_choice_in_the_address_is_named_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match="sslmode is none of disable, allow, prefer, require, verify-ca, verify-full"):
        checked_postgres("postgresql://stint:secret@postgres/stint?sslmode=on")


@pytest.mark.parametrize(
    ("servers", "ports"),
    [
        ("kafka:9092", {9092}),
        ("kafka-0.x.example:9092, 10.0.0.1:19092", {9092, 19092}),
        ("[::1]:19092", {19092}),
        ("K_1:1", {1}),
        ("kafka", {9092}),
        ("kafka:19092,b", {19092, 9092}),
        ("[::1]", {9092}),
    ],
)
def test_addresses_of_brokers_that_aiokafka_can_read_are_taken(servers: str, ports: set[int]) -> None:
    """Without a port it is 9092."""
    assert checked_brokers(servers) == servers
    assert {port for _, port, _ in collect_hosts(servers)} == ports


@pytest.mark.parametrize(
    "servers", ["", "kafka:", "kafka:x", "kafka:0", "kafka:65536", "[::1]:", "a,,b:2", "::1:9092", "SSL://kafka:9092"]
)
def test_other_addresses_of_brokers_are_refused_without_a_quote(servers: str) -> None:
    with pytest.raises(ValueError, match="does not read as host:port or host, separated by commas") as refused:
        checked_brokers(servers)
    assert "kafka" not in str(refused.value)


@pytest.mark.parametrize("dsn", CUT)
def test_a_command_with_a_cut_password_ends_with_2_and_shows_none_of_it(
    dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", dsn)
    assert main(["migrate"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("stint: settings: STINT_CLI_POSTGRES_DSN: ")
    assert SECRET not in said.out + said.err


@pytest.mark.parametrize("kind", [ApiSettings, ProjectorSettings, FeedSettings])
def test_a_service_with_wrong_addresses_ends_with_2_and_shows_none_of_them(
    kind: type[ApiSettings | ProjectorSettings | FeedSettings],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prefix = kind.model_config["env_prefix"]
    monkeypatch.setenv(f"{prefix}POSTGRES_DSN", CUT[0])
    monkeypatch.setenv(f"{prefix}KAFKA_BOOTSTRAP_SERVERS", f"stint:{SECRET}@kafka")
    monkeypatch.setenv(f"{prefix}TOKEN_KEY", "k" * 32)
    with pytest.raises(SystemExit) as ended:
        read_settings(kind)
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert {line.partition(":")[0] for line in said.err.splitlines()} == {
        f"{prefix}POSTGRES_DSN",
        f"{prefix}KAFKA_BOOTSTRAP_SERVERS",
    }
    assert SECRET not in said.out + said.err
