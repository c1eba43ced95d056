"""Kubernetes manifests as kustomize builds them, and functions to look into them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.local.settings import ROOT

K8S: Final = ROOT / "deploy" / "k8s"
# Of Kubernetes, whose schemas are the measure.
RELEASE: Final = "1.37"
BUILT: Final = ("base", "overlays/production")

# One manifest. Its shape is checked against Kubernetes' schemas, so here it is a plain dict.
Manifest = dict[str, Any]


@cache
def built(folder: str) -> tuple[Manifest, ...]:
    """Return what `kubectl apply -k` would send. Neither a cluster nor the network is asked."""
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    if kubectl is None:
        raise LookupError("kubectl is not installed beside this Python: run `make install`")
    done = subprocess.run([kubectl, "kustomize", str(K8S / folder)], capture_output=True, text=True, check=False)
    # kustomize warns of what is out of date, and that must be mended too.
    if done.returncode or done.stderr:
        raise ValueError(done.stderr)
    return parsed(done.stdout)


def example(name: str) -> tuple[Manifest, ...]:
    """Return an example as it was written."""
    return parsed((K8S / "examples" / f"{name}.yaml").read_text())


def parsed(text: str) -> tuple[Manifest, ...]:
    """Return every document of a YAML text."""
    return tuple(document for document in yaml.safe_load_all(text) if document is not None)


def one(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    """Return the one of a kind and name."""
    [found] = [each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pods(manifests: tuple[Manifest, ...]) -> Iterator[tuple[str, Manifest]]:
    """Return the name and the pod specification of each manifest that makes pods."""
    for each in manifests:
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def containers(pod: Manifest) -> list[Manifest]:
    """Return all containers of a pod, its init containers included."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def settings_of(manifests: tuple[Manifest, ...], container: Manifest) -> dict[str, str]:
    """Return the environment that a container gets from its ConfigMaps."""
    said: dict[str, str] = {}
    for source in container["envFrom"]:
        said |= one(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    return said


def secret_files(pod: Manifest) -> dict[str, str]:
    """Return the files of a pod's secrets folder: the path under /run/secrets, and "secret/key" that it comes from."""
    [volume] = [volume for volume in pod["volumes"] if volume["name"] == "secrets"]
    return {
        item["path"]: f"{source['secret']['name']}/{item['key']}"
        for source in volume["projected"]["sources"]
        for item in source["secret"]["items"]
    }
