"""A broker that demands TLS: one listener that wants a login as well, one that wants the client's certificate."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from deploy.local.settings import HOST
from deploy.local.stack import Stack
from tests.support.certificates import Authority, Certificate
from tests.support.stacks import free_ports, stack_in

USER: Final = "stint"
PASSWORD: Final = "a password with a space, and an ü"

_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_ITERATIONS: Final = 4096


@dataclass(frozen=True, slots=True)
class Guarded:
    """The stack, its listeners and what it takes to be let in."""

    stack: Stack
    ca: Path
    login: str
    mutual: str
    client: Certificate
    password_file: Path

    def settings(self) -> dict[str, str]:
        """Return the settings, without prefix, of a process that is let in by its login."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.login,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_CA_FILE": str(self.ca),
            "KAFKA_USER": USER,
            "KAFKA_PASSWORD_FILE": str(self.password_file),
        }

    def settings_by_certificate(self) -> dict[str, str]:
        """Return the settings, without prefix, of a process that is let in by its certificate."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.mutual,
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_CA_FILE": str(self.ca),
            "KAFKA_CERTIFICATE_FILE": str(self.client.certificate),
            "KAFKA_KEY_FILE": str(self.client.key),
        }


def guarded_in(home: Path) -> Guarded:
    """Return a stack, not yet started, whose broker has both listeners beside the one for tests."""
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


def let_in(guarded: Guarded, user: str = USER, password: str = PASSWORD) -> None:
    """Give the broker a user, over the listener that asks nobody who they are."""
    admin = AdminClient({"bootstrap.servers": guarded.stack.kafka.address})
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
    made = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, scram, password.encode())])
    for done in made.values():
        done.result(timeout=10)


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
    }


def _tls(authority: Authority, broker: Certificate) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(broker.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
    }
