"""The examples of Kafka, Postgres and a route promise what Stint needs, under the names that the base uses.

All but the pod for commands are only parsed here. Their schemas are NOT checked, because they belong to the Strimzi and
CloudNativePG operators and to the Gateway API, and no package ships them.
"""

import kubernetes_validate
import pytest

from deploy.local.settings import ROOT
from services.command_api.app import COUNTING_CONNECTIONS_MAX
from services.command_api.dialects.headers import WAIT_SECONDS_MAX
from services.command_api.settings import Settings as ApiSettings
from services.feed.callers.tokens import CONNECTIONS_MAX as FEED_CONNECTIONS_MAX
from services.feed.calls.feed import PATH as FEED_PATH
from services.projector.helpers.helper import PARTITIONS_AT_ONCE
from services.projector.rebuild.command import CONNECTIONS as REBUILD_CONNECTIONS
from services.projector.settings import Settings as ProjectorSettings
from services.stint_cli.store import query
from shared.events.topics import topics
from shared.process.metrics import METRICS_PATH
from tests.support.stack.manifests import RELEASE, built, example, one, pods, secret_files, settings_of

SAFE = {
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "unclean.leader.election.enable": False,
    "auto.create.topics.enable": False,
}
USERS = {"stint-command-api", "stint-feed", "stint-projector", "stint-operator"}
# Each service may be a member of its own groups alone: a stranger in another would get a share, and do no work.
GROUPS = {
    "stint-command-api": {ApiSettings.model_fields["commands_group_id"].default},
    "stint-feed": set[str](),
    "stint-operator": set[str](),
    "stint-projector": {ProjectorSettings.model_fields[name].default for name in ("group_id", "texts_group_id")},
}

ROLES = {
    "stint_command_api": "stint-postgres-command-api",
    "stint_projector": "stint-postgres-projector",
    "stint_feed": "stint-postgres-feed",
}


def test_kafka_keeps_everything_three_times_and_acknowledges_with_two() -> None:
    config = one(example("kafka"), "Kafka", "stint")["spec"]["kafka"]["config"]
    assert {name: config[name] for name in SAFE} == SAFE
    nodes = {
        each["metadata"]["name"]: each["spec"]["replicas"]
        for each in example("kafka")
        if each["kind"] == "KafkaNodePool"
    }
    assert nodes == {"controllers": 3, "brokers": 3}


def test_kafka_demands_tls_and_a_login() -> None:
    listeners = one(example("kafka"), "Kafka", "stint")["spec"]["kafka"]["listeners"]
    assert [(each["tls"], each["authentication"]["type"]) for each in listeners] == [(True, "scram-sha-512")]


def test_a_broker_is_where_the_base_looks_for_it() -> None:
    kafka = one(example("kafka"), "Kafka", "stint")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    address = f"{kafka['metadata']['name']}-kafka-bootstrap:{listener['port']}"
    said = [settings_of(built("base"), pod["containers"][0]) for _, pod in pods(built("base"))]
    assert {value for each in said for name, value in each.items() if name.endswith("BOOTSTRAP_SERVERS")} == {address}
    assert {value for each in said for name, value in each.items() if name.endswith("KAFKA_USER")} == USERS


@pytest.mark.parametrize("user", sorted(USERS))
def test_a_user_may_reach_our_topics_and_groups_alone(user: str) -> None:
    known, joins = {topic.name for topic in topics(1)}, set()
    for acl in one(example("kafka"), "KafkaUser", user)["spec"]["authorization"]["acls"]:
        resource = acl["resource"]
        match resource["type"]:
            case "topic" if resource.get("patternType") == "prefix":
                assert resource["name"].startswith("timer.")
            case "topic":
                assert resource["name"] in known
            case "group" if resource.get("patternType") == "prefix":
                # `doctor` looks at groups, whatever settings call them, and joins none.
                assert (resource["name"], acl["operations"]) == ("stint.", ["Describe"])
            case "group":
                assert acl["operations"] == ["Read"]
                joins.add(resource["name"])
            case other:
                assert (other, acl["operations"]) == ("cluster", ["Describe"])
    assert joins == GROUPS[user]


def test_postgres_is_three_instances_and_demands_tls() -> None:
    spec = one(example("postgres"), "Cluster", "stint-postgres")["spec"]
    assert spec["instances"] == 3
    assert spec["postgresql"]["synchronous"]["number"] == 1
    assert spec["postgresql"]["pg_hba"] == ["hostssl all all all scram-sha-256", "hostnossl all all all reject"]
    assert spec["imageCatalogRef"]["major"] == 18


def test_postgres_takes_the_connections_of_all_pods_of_production_at_once() -> None:
    """As many APIs as the autoscaler may make, one more of each during a rollout, and an operator's rebuild."""
    production = built("overlays/production")
    api, projector = ApiSettings.model_fields, ProjectorSettings.model_fields
    helpers = projector["catch_up_processes"].default * PARTITIONS_AT_ONCE
    each = {
        "command-api": api["postgres_connections_max"].default + COUNTING_CONNECTIONS_MAX,
        "projector": projector["postgres_connections_max"].default + helpers,
        "feed": FEED_CONNECTIONS_MAX,
    }
    pods_most = {
        "command-api": one(production, "HorizontalPodAutoscaler", "command-api")["spec"]["maxReplicas"] + 1,
        "projector": one(production, "StatefulSet", "projector")["spec"]["replicas"],
        "feed": one(production, "Deployment", "feed")["spec"]["replicas"] + 1,
    }
    # The settings are the defaults: no pod has others.
    assert not [
        name
        for _, pod in pods(production)
        for name in settings_of(production, pod["containers"][0])
        if "CONNECTIONS" in name or "CATCH_UP" in name
    ]
    # The command itself, the lock of a rebuild, its own connections, and those of its helpers.
    rebuild = 2 + REBUILD_CONNECTIONS + helpers
    ours = sum(each[name] * pods_most[name] for name in each) + rebuild
    parameters = one(example("postgres"), "Cluster", "stint-postgres")["spec"]["postgresql"]["parameters"]
    # Postgres keeps three for superusers, and the operator asks each instance with a few of its own.
    assert ours + 10 <= int(parameters["max_connections"])


def test_an_operator_makes_every_secret_but_the_token_key_and_the_logins_of_the_services() -> None:
    kafka, postgres = one(example("kafka"), "Kafka", "stint"), one(example("postgres"), "Cluster", "stint-postgres")
    made = {f"{each['metadata']['name']}/password" for each in example("kafka") if each["kind"] == "KafkaUser"}
    made |= {f"{kafka['metadata']['name']}-cluster-ca-cert/ca.crt"}
    made |= {f"{postgres['metadata']['name']}-app/uri", f"{postgres['metadata']['name']}-ca/ca.crt"}
    referred = {secret for _, pod in pods(built("base")) for secret in secret_files(pod).values()}
    assert referred - made == {"stint-token-key/token-key", *(f"{secret}/uri" for secret in ROLES.values())}
    assert made <= referred


def test_each_service_has_a_role_whose_rights_a_migration_gives() -> None:
    managed = one(example("postgres"), "Cluster", "stint-postgres")["spec"]["managed"]["roles"]
    assert {each["name"]: each["passwordSecret"]["name"] for each in managed if each["login"]} == ROLES
    given = query("rights")
    for role, secret in ROLES.items():
        assert f"('{role}', " in given
        service = secret.removeprefix("stint-postgres-")
        [dsn] = [f for f in secret_files(dict(pods(built("base")))[service]).items() if f[0].endswith("postgres_dsn")]
        assert dsn == (f"{service.replace('-', '_')}_postgres_dsn", f"{secret}/uri")


def test_a_pod_for_commands_is_the_job_that_prepares_but_sleeps() -> None:
    """Confined, allowed and set as that job, whose ConfigMap has a name that changes with its content."""
    manifests = example("stint")
    for manifest in manifests:
        assert kubernetes_validate.validate(manifest, RELEASE, strict=True)
    deployment = one(manifests, "Deployment", "stint")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    pod, job = dict(pods(manifests))["stint"], dict(pods(built("base")))["prepare"]
    of_the_job = job["containers"][0]
    settings = (ROOT / "deploy/k8s/base/prepare.env").read_text().split()
    assert [f"{name}={value}" for name, value in settings_of(manifests, container).items()] == settings
    for part in ("securityContext", "volumeMounts"):
        assert container[part] == of_the_job[part]
    for part in (
        "securityContext",
        "volumes",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "shareProcessNamespace",
    ):
        assert pod[part] == job[part]
    assert container["command"] == ["sleep", "infinity"]
    assert container["image"].rpartition(":")[2] == of_the_job["image"].rpartition(":")[2]
    assert {"app.kubernetes.io/part-of": "stint"}.items() <= deployment["spec"]["template"]["metadata"][
        "labels"
    ].items()
    assert deployment["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": "stint"}


def test_the_page_runs_a_command_in_that_pod() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert "kubectl -n stint apply -f deploy/k8s/examples/stint.yaml\n" in page
    assert "kubectl -n stint exec -i deployment/stint -- stint " in page


def test_a_route_sends_the_feeds_path_to_the_feed_and_all_else_to_the_api_but_metrics() -> None:
    rules = one(example("route"), "HTTPRoute", "stint")["spec"]["rules"]
    sent = {
        (path["type"], path["value"]): [(each["name"], each["port"]) for each in rule.get("backendRefs", [])]
        for rule in rules
        for path in (match["path"] for match in rule["matches"])
    }
    assert sent == {
        ("PathPrefix", METRICS_PATH): [],
        ("Exact", FEED_PATH): [("feed", 80)],
        ("PathPrefix", "/"): [("command-api", 80)],
    }
    for name, port in (backend for backends in sent.values() for backend in backends):
        assert port in [each["port"] for each in one(built("base"), "Service", name)["spec"]["ports"]]


def test_a_route_ends_no_stream_and_no_caller_that_waits_as_long_as_it_may() -> None:
    timeouts = {
        each["name"]: rule["timeouts"]["request"]
        for rule in one(example("route"), "HTTPRoute", "stint")["spec"]["rules"]
        for each in rule.get("backendRefs", [])
    }
    assert timeouts["feed"] == "0s"
    assert int(timeouts["command-api"].removesuffix("s")) > WAIT_SECONDS_MAX
