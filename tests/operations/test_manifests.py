"""Kubernetes manifests of every overlay: rendered, valid, and as restricted as we promise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tools.dashboards.rules import RESOURCE, prometheus_rule

ROOT = Path(__file__).parents[2]
OVERLAYS = ("dev", "staging", "production")
KUBERNETES = ("1.31", "1.34")
"""The oldest and the newest cluster that we support."""
CRDS = ROOT.parent / "shared/data/crds"
_SERVICES = ("ingestor", "mapper", "poster", "reconciler")
_UNCHECKED_GROUPS = ("external-secrets.io", "monitoring.coreos.com")
"""No schema of these is at hand; their fields are few and reviewed by eye."""

Resource = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Resource, ...]:
    kubectl = Path(sys.executable).with_name("kubectl")
    folder = ROOT / "deploy/k8s/overlays" / overlay
    done = subprocess.run(
        [str(kubectl), "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Resource]:
    return [resource for resource in rendered(overlay) if resource["kind"] in kinds]


def pods(overlay: str) -> Iterator[tuple[str, Resource]]:
    for workload in of_kind(overlay, "Deployment", "Job"):
        yield workload["metadata"]["name"], workload["spec"]["template"]


def strict(schema: Any) -> Any:
    """Return an OpenAPI schema of a custom resource as JSON Schema that refuses unknown fields."""
    schema = dict(schema)
    if schema.pop("x-kubernetes-int-or-string", False):
        schema["type"] = ["integer", "string"]
        schema.pop("anyOf", None)
    is_open = schema.pop("x-kubernetes-preserve-unknown-fields", False)
    schema.pop("format", None)
    if "properties" in schema:
        schema["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = strict(schema[key])
    if schema.get("type") == "object" and schema.get("properties") and not is_open:
        schema.setdefault("additionalProperties", False)
    return schema


@cache
def custom_schemas() -> dict[tuple[str, str], Any]:
    found = {}
    for path in CRDS.glob("*.yaml"):
        spec = next(doc for doc in yaml.safe_load_all(path.read_text()) if doc)["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_core_resources_are_valid(overlay: str, version: str) -> None:
    for resource in rendered(overlay):
        group = resource["apiVersion"].rpartition("/")[0]
        if "." not in group or group.endswith(".k8s.io"):
            kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_custom_resources_are_valid(overlay: str) -> None:
    if not CRDS.is_dir():
        pytest.skip(f"the custom resource definitions are not at {CRDS}")
    for resource in rendered(overlay):
        group = resource["apiVersion"].rpartition("/")[0]
        if "." not in group or group.endswith(".k8s.io") or group in _UNCHECKED_GROUPS:
            continue
        schema = custom_schemas()[resource["apiVersion"], resource["kind"]]
        jsonschema.Draft7Validator(schema).validate(resource)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_restricted(overlay: str) -> None:
    for name, pod in pods(overlay):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] >= 10_000, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            for bound in ("requests", "limits"):
                assert {"cpu", "memory", "ephemeral-storage"} <= container["resources"][
                    bound
                ].keys()
            tag = container["image"].rpartition(":")[2]
            assert tag not in ("", "latest", container["image"]), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_say_how_they_are(overlay: str) -> None:
    deployments = of_kind(overlay, "Deployment")
    assert {each["metadata"]["name"] for each in deployments} == set(_SERVICES)
    for deployment in deployments:
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        ports = {port["name"] for port in container["ports"]}
        probes = {
            probe: container[f"{probe}Probe"]["httpGet"]
            for probe in ("startup", "liveness", "readiness")
        }
        assert probes["liveness"]["path"] != probes["readiness"]["path"]
        assert all(probe["port"] in ports and "host" not in probe for probe in probes.values())
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        settings = next(
            each["data"]
            for each in of_kind(overlay, "ConfigMap")
            if "HOURBRIDGE_LOG_LEVEL" in each["data"]
        )
        grace = int(settings["HOURBRIDGE_SHUTDOWN_GRACE_SECONDS"])
        assert spec["terminationGracePeriodSeconds"] >= pause + grace
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_workload_is_covered(overlay: str) -> None:
    budgets = {each["metadata"]["name"] for each in of_kind(overlay, "PodDisruptionBudget")}
    assert budgets == set(_SERVICES)
    policies = [each["spec"]["podSelector"] for each in of_kind(overlay, "NetworkPolicy")]
    assert {} in policies, "nothing is denied by default"
    for name, pod in pods(overlay):
        labels = pod["metadata"]["labels"]
        assert any(
            each.get("matchLabels") and each["matchLabels"].items() <= labels.items()
            for each in policies
        ), f"no policy lets {name} reach anything"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_references_resolve(overlay: str) -> None:
    named = {(each["kind"], each["metadata"]["name"]) for each in rendered(overlay)}
    secrets = {name for kind, name in named if kind in ("Secret", "ExternalSecret")}
    for name, pod in pods(overlay):
        assert ("ServiceAccount", pod["spec"]["serviceAccountName"]) in named, name
        for container in pod["spec"]["containers"]:
            for origin in container["envFrom"]:
                if "configMapRef" in origin:
                    assert ("ConfigMap", origin["configMapRef"]["name"]) in named
                else:
                    assert origin["secretRef"]["name"] in secrets


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_what_is_scaled_has_no_replicas_of_its_own(overlay: str) -> None:
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind(overlay, "ScaledObject")}
    assert scaled == {"ingestor", "mapper", "poster"}
    for deployment in of_kind(overlay, "Deployment"):
        assert ("replicas" in deployment["spec"]) == (deployment["metadata"]["name"] not in scaled)
    for each in of_kind(overlay, "ScaledObject"):
        for trigger in each["spec"]["triggers"]:
            assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_no_secret_is_checked_in_outside_the_development_example() -> None:
    for overlay in ("staging", "production"):
        assert of_kind(overlay, "Secret") == []


def test_the_operators_rules_are_the_checked_in_ones() -> None:
    assert RESOURCE.read_text() == prometheus_rule(), "run: make dashboards"
