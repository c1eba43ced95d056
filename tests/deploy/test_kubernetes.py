"""The manifests of `deploy/k8s` are valid, confined, and fit the services as they are."""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.local.settings import ROOT
from services.command_api.settings import Settings as ApiSettings
from services.feed.settings import Settings as FeedSettings
from services.projector import health as projector_health
from services.projector.settings import Settings as ProjectorSettings
from services.stint_cli.__main__ import main as stint
from services.stint_cli.settings import DeploymentSettings
from shared.events.topics import DEFAULT_PARTITIONS
from shared.process.http.probes import probes
from shared.process.metrics import METRICS_PATH
from tests.deploy.endings import end_seconds_max
from tests.support.stack.certificates import Authority
from tests.support.stack.manifests import (
    BUILT,
    RELEASE,
    Manifest,
    built,
    containers,
    one,
    pods,
    secret_files,
    settings_of,
)

SETTINGS: dict[str, type[ApiSettings | FeedSettings | ProjectorSettings | DeploymentSettings]] = {
    "command-api": ApiSettings,
    "feed": FeedSettings,
    "projector": ProjectorSettings,
    "prepare": DeploymentSettings,
}
SECRETS = "/run/secrets"

every_folder = pytest.mark.parametrize("folder", BUILT)
every_pod = pytest.mark.parametrize("name", SETTINGS)


def pod_of(name: str, folder: str = "overlays/production") -> Manifest:
    found: Manifest = dict(pods(built(folder)))[name]
    return found


def container_of(name: str) -> Manifest:
    only: list[Manifest] = pod_of(name)["containers"]
    [container] = only
    return container


def every_container() -> Iterator[tuple[str, Manifest]]:
    for name, pod in chain.from_iterable(pods(built(folder)) for folder in BUILT):
        for container in containers(pod):
            yield f"{name}/{container['name']}", container


@every_folder
def test_every_manifest_is_valid_for_kubernetes(folder: str) -> None:
    for manifest in built(folder):
        assert kubernetes_validate.validate(manifest, RELEASE, strict=True)


def test_the_validator_finds_what_is_wrong() -> None:
    """The control: a field that does not exist."""
    wrong = one(built("base"), "Deployment", "command-api") | {"spec": {"replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, RELEASE, strict=True)


def test_every_part_of_a_service_is_there() -> None:
    kinds = {(each["kind"], each["metadata"]["name"]) for each in built("overlays/production")}
    assert {
        ("Deployment", "command-api"),
        ("HorizontalPodAutoscaler", "command-api"),
        ("PodDisruptionBudget", "command-api"),
        ("Deployment", "feed"),
        ("PodDisruptionBudget", "feed"),
        ("StatefulSet", "projector"),
        ("PodDisruptionBudget", "projector"),
        ("Job", "prepare"),
        ("NetworkPolicy", "nobody"),
    } <= kinds


@every_folder
def test_every_pod_is_confined(folder: str) -> None:
    for name, pod in pods(built(folder)):
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }, name
        assert pod["automountServiceAccountToken"] is False, name
    for name, container in every_container():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


@every_folder
def test_no_program_is_process_1_which_hears_no_signal_while_it_starts(folder: str) -> None:
    """A pod that is ended within its first seconds would run on until it is killed: a projector with partitions."""
    for name, pod in pods(built(folder)):
        assert pod["shareProcessNamespace"] is True, name


def test_every_container_says_what_it_needs_and_what_it_may_have() -> None:
    for name, container in every_container():
        for bound in ("requests", "limits"):
            assert container["resources"][bound].keys() == {"cpu", "memory"}, name


def test_an_upgrade_can_name_everything_that_it_applies_first() -> None:
    """docs/operations.md applies prepare, then projector, then command-api and feed, each by its label."""
    names = {"command-api", "feed", "projector", "prepare", "network"}
    for manifest in built("base"):
        assert manifest["metadata"]["labels"]["app.kubernetes.io/name"] in names, manifest["metadata"]


def test_the_image_is_that_of_compose_tagged_with_the_release() -> None:
    release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    [built_by_compose] = {service["image"] for service in compose["services"].values() if "build" in service}
    name, _, _ = built_by_compose.partition(":")
    for where, container in every_container():
        repository, _, tag = container["image"].rpartition(":")
        assert (repository.rpartition("/")[2], tag) == (name, release), where


def test_a_pod_runs_as_the_user_that_the_image_has() -> None:
    [user] = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    for name in SETTINGS:
        context = pod_of(name)["securityContext"]
        assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user


@every_pod
def test_the_program_of_each_container_exists(name: str) -> None:
    for container in containers(pod_of(name)):
        program, *arguments = container["command"]
        if program == "stint":
            assert stint([*arguments, "--help"]) == 0
            continue
        flag, module = arguments
        assert (program, flag) == ("python", "-m")
        assert (ROOT / Path(*module.split(".")) / "__main__.py").exists()


def test_the_topics_job_names_the_number_of_partitions() -> None:
    assert container_of("prepare")["command"][-2:] == ["--partitions", str(DEFAULT_PARTITIONS)]


def mount(folder: Path, files: dict[str, str]) -> Path:
    """Lay out a projected volume as a kubelet does: links to links, so that all its files change at once."""
    inside = folder / "..2026_11_21_22_00_00.1"
    inside.mkdir(parents=True)
    (folder / "..data").symlink_to(inside.name)
    for name, text in files.items():
        (inside / name).write_text(text)
        (folder / name).symlink_to(f"..data/{name}")
    return folder


@every_pod
def test_a_pods_settings_are_whole_and_every_one_of_them_exists(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings class reads what the pod would have, secret files included, and no variable is left over."""
    kind, pod = SETTINGS[name], pod_of(name)
    prefix = kind.model_config["env_prefix"]
    authority = Authority(tmp_path / "authority").ca.read_text()
    secrets = {"crt": authority, "dsn": "postgresql://stint:secret@postgres/stint"}
    mounted = mount(
        tmp_path / "secrets",
        {path: secrets.get(path[-3:], "a secret of at least 32 bytes, or so") for path in secret_files(pod)},
    )
    environ = settings_of(built("overlays/production"), containers(pod)[0])
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value.replace(SECRETS, str(mounted)))
    monkeypatch.setitem(kind.model_config, "secrets_dir", str(mounted))

    settings = kind()
    assert settings.kafka.options()["security_protocol"] == "SASL_SSL"
    assert settings.postgres_tls is not None
    as_variables = {path.upper() for path in secret_files(pod) if path.startswith(prefix.lower())}
    known = {f"{prefix}{field}".upper() for field in kind.model_fields}
    assert environ.keys() | as_variables <= known
    named = {value.removeprefix(f"{SECRETS}/") for value in environ.values() if value.startswith(SECRETS)}
    assert named | {variable.lower() for variable in as_variables} == secret_files(pod).keys()


@pytest.mark.parametrize(
    ("name", "routes", "kind"),
    [
        ("command-api", probes(lambda: True, {}), ApiSettings),
        ("feed", probes(lambda: True, {}), FeedSettings),
        ("projector", projector_health.routes(lambda: None, lambda: True, lambda: True), ProjectorSettings),
    ],
)
def test_a_pods_probes_ask_what_the_service_answers_where_it_listens(
    name: str, routes: list[Any], kind: type[ApiSettings | FeedSettings | ProjectorSettings]
) -> None:
    container = container_of(name)
    environ = settings_of(built("overlays/production"), container)
    prefix = kind.model_config["env_prefix"]
    assert environ[f"{prefix}HTTP_HOST"] == "0.0.0.0"
    [port] = container["ports"]
    assert str(port["containerPort"]) == environ[f"{prefix}HTTP_PORT"]
    asked = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    assert {route.path for route in routes} == {"/livez", "/readyz"}
    assert asked == {
        "startup": {"path": "/livez", "port": port["name"]},
        "liveness": {"path": "/livez", "port": port["name"]},
        "readiness": {"path": "/readyz", "port": port["name"]},
    }


@pytest.mark.parametrize("name", ["command-api", "feed", "projector"])
def test_a_pod_is_not_killed_before_it_has_ended_by_itself(name: str) -> None:
    environ = settings_of(built("overlays/production"), container_of(name))
    assert pod_of(name)["terminationGracePeriodSeconds"] > end_seconds_max(name, environ)


@pytest.mark.parametrize(("name", "variable"), [("command-api", "COMMAND_API"), ("feed", "FEED")])
def test_unready_is_heard_of_well_before_the_drain_is_over(name: str, variable: str) -> None:
    container = container_of(name)
    probe = container["readinessProbe"]
    drain = float(settings_of(built("overlays/production"), container)[f"{variable}_DRAIN_SECONDS"])
    assert probe["periodSeconds"] * probe["failureThreshold"] * 2 < drain


def test_no_secret_lies_in_the_manifests() -> None:
    for folder in BUILT:
        assert not [each for each in built(folder) if each["kind"] == "Secret"]
        for _, container in every_container():
            assert "env" not in container


def test_network_traffic_is_denied_unless_a_policy_names_it() -> None:
    policies = [each for each in built("base") if each["kind"] == "NetworkPolicy"]
    nobody = one(built("base"), "NetworkPolicy", "nobody")["spec"]
    assert nobody == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "stint"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    into = {each["metadata"]["name"]: each["spec"] for each in policies if each["spec"].get("ingress")}
    assert into.keys() == {"requests", "metrics"}
    serves_requests = {"key": "app.kubernetes.io/name", "operator": "In", "values": ["command-api", "feed"]}
    assert into["requests"]["podSelector"] == {"matchExpressions": [serves_requests]}
    for each in built("base"):
        if "template" in each.get("spec", {}):
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert labels["app.kubernetes.io/part-of"] == "stint"


@pytest.mark.parametrize("name", ["command-api", "feed", "projector"])
def test_prometheus_finds_the_metrics_where_the_service_listens(name: str) -> None:
    [template] = [
        each["spec"]["template"]
        for each in built("overlays/production")
        if each["metadata"]["name"] == name and "template" in each.get("spec", {})
    ]
    [port] = container_of(name)["ports"]
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port["containerPort"]),
        "prometheus.io/path": METRICS_PATH,
    }


def test_metrics_may_be_read_from_namespaces_that_say_so_and_no_other() -> None:
    policy = one(built("base"), "NetworkPolicy", "metrics")["spec"]
    [selected] = policy["podSelector"]["matchExpressions"]
    assert selected == {
        "key": "app.kubernetes.io/name",
        "operator": "In",
        "values": ["command-api", "feed", "projector"],
    }
    assert policy["ingress"] == [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"stint/reads-metrics": "yes"}}}],
            "ports": [{"port": "http", "protocol": "TCP"}],
        }
    ]
