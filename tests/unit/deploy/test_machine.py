"""An obstacle on this machine is reported in one line that names the setting."""

import re
import shutil
import socket
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import kafka, machine
from deploy.local.secrets import kept_secret
from deploy.local.settings import HOST, Settings
from deploy.local.trouble import Trouble

Usage = namedtuple("Usage", ["total", "used", "free"])  # noqa: PYI024 - the type that shutil returns


def test_a_taken_port_is_named_with_the_setting_that_moves_it() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Trouble, match=f"Port {port} is taken .* STINT_HTTP_PORT="):
            machine.require_free({"STINT_HTTP_PORT": port})
    # Control: the same port, free again.
    machine.require_free({"STINT_HTTP_PORT": port})


def test_all_taken_ports_are_named_at_once() -> None:
    """One at a time would be a start for each."""
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as two:
        ports = {"STINT_HTTP_PORT": one.getsockname()[1], "STINT_KAFKA_PORT": two.getsockname()[1]}
        said = (
            f"Ports {one.getsockname()[1]}, {two.getsockname()[1]} are taken .* STINT_HTTP_PORT=... STINT_KAFKA_PORT="
        )
        with pytest.raises(Trouble, match=said):
            machine.require_free(ports)


def test_a_folder_that_kafka_would_read_as_two_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"a,b has a comma in its name.*STINT_HOME"):
        machine.check(Settings(home=tmp_path / "a,b", cache=tmp_path))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/srv/stint home/kafka=1#!", "/srv/stint home/kafka=1#!"),
        ("/srv/jürgen", r"/srv/j\u00fcrgen"),
        ("/srv/back\\slash", r"/srv/back\u005cslash"),
        ("/srv/𝄞\n", r"/srv/\ud834\udd1e\u000a"),
    ],
)
def test_a_folder_of_any_name_is_a_property_that_java_reads(value: str, written: str) -> None:
    assert kafka.escaped(value) == written


def test_a_full_disk_is_named_with_the_setting_that_moves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.require_room(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 300 * 1024**2))
    with pytest.raises(Trouble, match=re.escape(f"Only 0.29 GiB are free where {tmp_path} lies") + ".*STINT_HOME"):
        machine.require_room(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Trouble, match=r"file/home cannot be written \(Not a directory\): .*STINT_HOME"):
        machine.require_room(tmp_path / "file" / "home")


def test_a_wheel_that_this_platform_lacks_is_named() -> None:
    with pytest.raises(Trouble, match=r"Java is not installed \(no_such_wheel\): run `make install`"):
        machine.wheel("no_such_wheel", "Java")


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "٣"])
def test_an_invalid_port_is_named(text: str) -> None:
    with pytest.raises(Trouble, match=f"STINT_KAFKA_PORT={text} is no port"):
        Settings.from_environment({"STINT_KAFKA_PORT": text})


def test_two_settings_with_one_port_are_named() -> None:
    with pytest.raises(Trouble, match="STINT_HTTP_PORT and STINT_POSTGRES_PORT are both 9000"):
        Settings.from_environment({"STINT_HTTP_PORT": "9000", "STINT_POSTGRES_PORT": "9000"})


def test_nothing_given_is_the_defaults_and_the_controller_follows_the_broker() -> None:
    assert Settings.from_environment({"STINT_HOME": "", "STINT_HTTP_PORT": ""}).ports == Settings().ports
    assert Settings.from_environment({"STINT_KAFKA_PORT": "29092"}).kafka_controller_port == 29093


def test_a_secret_is_made_once_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    secret = kept_secret(path)
    assert re.fullmatch("[0-9a-f]{64}", secret)
    assert kept_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept_secret(tmp_path / "secrets" / "other") != secret


def test_stacks_that_start_at_once_do_not_disturb_each_others_look_at_the_cache(tmp_path: Path) -> None:
    """One probe under one name would be deleted by one of them before the other comes to it."""
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(machine.require_room, [tmp_path / "cache"] * 400)) == [None] * 400


def test_a_stack_on_free_ports_has_a_folder_of_its_own_and_the_cache_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = machine.on_free_ports(tmp_path / "home")
    assert (settings.home, settings.cache) == (tmp_path / "home", tmp_path / "cache" / "stint")
    assert len(set(settings.ports.values())) == 6
