"""A broker that demands TLS: one listener demands a login as well, one the client's certificate.

Each user has the permissions of the example in `deploy/k8s`, and no others.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from deploy.local.machine import free_ports
from deploy.local.settings import HOST
from deploy.local.stack import Stack
from tests.support.stack.certificates import Authority, Certificate
from tests.support.stack.manifests import Manifest, example
from tests.support.stack.stacks import stack_in

OPERATOR: Final = "stint-operator"
PASSWORD: Final = "a password with a space, and an ü"

_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_ITERATIONS: Final = 4096
_KINDS: Final = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}
_OPERATIONS: Final = {
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
}


@dataclass(frozen=True, slots=True)
class Guarded:
    """The stack, its listeners and the credentials that they accept."""

    stack: Stack
    ca: Path
    login: str
    mutual: str
    client: Certificate
    password_file: Path

    def settings(self, user: str = OPERATOR) -> dict[str, str]:
        """Return the settings, without prefix, of a process that connects with its login."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.login,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_CA_FILE": str(self.ca),
            "KAFKA_USER": user,
            "KAFKA_PASSWORD_FILE": str(self.password_file),
        }

    def settings_by_certificate(self) -> dict[str, str]:
        """Return the settings, without prefix, of a process that connects with its certificate."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.mutual,
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_CA_FILE": str(self.ca),
            "KAFKA_CERTIFICATE_FILE": str(self.client.certificate),
            "KAFKA_KEY_FILE": str(self.client.key),
        }


def guarded_in(home: Path) -> Guarded:
    """Return a stack, not yet started, with a broker that has both listeners beside the one for tests."""
    authority = Authority(home / "tls")
    login, mutual = (f"{HOST}:{port}" for port in free_ports(2))
    password_file = home / "password"
    password_file.write_text(PASSWORD + "\n")
    stack = stack_in(home / "stack")
    listeners = _listeners(stack, login, mutual) | _tls(authority, authority.vouches_for("broker"))
    return Guarded(
        stack=replace(stack, broker_properties=dict(stack.broker_properties) | listeners),
        ca=authority.ca,
        login=login,
        mutual=mutual,
        client=authority.vouches_for("client"),
        password_file=password_file,
    )


def let_in(guarded: Guarded) -> None:
    """Give the broker the example's users, over the listener without authentication."""
    admin = AdminClient({"bootstrap.servers": guarded.stack.kafka.address})
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
    users = {each["metadata"]["name"]: each["spec"] for each in example("kafka") if each["kind"] == "KafkaUser"}
    logins: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, scram, PASSWORD.encode()) for user in users
    ]
    acls = [acl for user, spec in users.items() for each in spec["authorization"]["acls"] for acl in _acls(user, each)]
    for done in (*admin.alter_user_scram_credentials(logins).values(), *admin.create_acls(acls).values()):
        done.result(timeout=10)


def _acls(user: str, said: Manifest) -> list[AclBinding]:
    """Return the Kafka ACLs that Strimzi would make of one rule."""
    resource = said["resource"]
    pattern = ResourcePatternType.PREFIXED if resource.get("patternType") == "prefix" else ResourcePatternType.LITERAL
    return [
        AclBinding(
            _KINDS[resource["type"]],
            resource.get("name", "kafka-cluster"),
            pattern,
            f"User:{user}",
            "*",
            _OPERATIONS[operation],
            AclPermissionType.ALLOW,
        )
        for operation in said["operations"]
    ]


def _listeners(stack: Stack, login: str, mutual: str) -> dict[str, str]:
    settings = stack.settings
    clients = f"PLAINTEXT://{settings.kafka},LOGIN://{login},MUTUAL://{mutual}"
    return {
        "listeners": f"{clients},CONTROLLER://{HOST}:{settings.kafka_controller_port}",
        "advertised.listeners": clients,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,MUTUAL:SSL",
        "listener.name.login.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.login.scram-sha-512.sasl.jaas.config": _SCRAM,
        "listener.name.mutual.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The user of the tests' own listener, and the user of the client's certificate.
        "super.users": "User:ANONYMOUS;User:CN=client",
    }


def _tls(authority: Authority, broker: Certificate) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(broker.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
    }
