"""A deployment to test against: a migrated stack with its topics, and tenants and persons that may press."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from deploy.local.stack import Stack
from services.stint_cli.brokers import Brokers
from services.stint_cli.database import connected
from services.stint_cli.deployment.migrate import migrate
from services.stint_cli.deployment.partitions import record_partitions
from services.stint_cli.deployment.topics import ensure_topics
from services.stint_cli.policies import publish_policy
from services.stint_cli.tenants import (
    ClientRole,
    create_client,
    create_person,
    create_tenant,
    issue_bearer_token,
    issue_person_token,
)
from shared.events.ids import partition_of, slot_of
from shared.events.policy import Policy, Preset
from shared.kafka.clients import AIOKafkaProducer, KafkaAddress, durable_producer
from shared.process.ending import ended_within

PARTITIONS: Final = 12
TOKEN_KEY: Final = "the key that only these tests sign with"

_LASTS: Final = timedelta(days=1)
_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant with one machine client. `revision` is its first policy's."""

    name: str
    client: str
    secret: str
    token: str
    revision: int
    zone: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an opaque token of their own."""

    owner: str
    name: str
    token: str
    aliases: tuple[str, ...] = ()


@dataclass
class Deployment:
    """One stack as the services see it. `pool` and `producer` are the tests' own, and `dsn` is the owner's."""

    stack: Stack
    pool: asyncpg.Pool
    producer: AIOKafkaProducer
    dsn: str
    partitions: int = PARTITIONS
    environ: dict[str, str] = field(default_factory=dict)  # given to every service; goes before what the crew sets
    handed_out: set[str] = field(default_factory=lambda: {TOKEN_KEY})  # tokens and secrets, which no log may tell

    @property
    def kafka(self) -> KafkaAddress:
        """Where the broker is."""
        return KafkaAddress(bootstrap_servers=self.stack.kafka.address)

    def dsn_of(self, service: str, dsn: str) -> str:
        """Return the owner's DSN of any database with the login of a service; another login's DSN as it is."""
        owners, its_own = (each.rpartition("@")[0] for each in (self.dsn, self.stack.postgres.dsn_of(service)))
        return dsn.replace(f"{owners}@", f"{its_own}@")

    async def tenant(self, zone: str = "Asia/Jerusalem", role: ClientRole = "machine") -> Tenant:
        """Make a fresh tenant with a client and a policy. A running API reads the policy a moment later."""
        name = f"tenant-{next(_numbers)}"
        client = f"{name}-client"
        now = datetime.now(UTC)
        async with self.pool.acquire() as conn:
            await create_tenant(conn, name)
            secret = await create_client(conn, name, client, role)
        document = Policy(preset=Preset.NATIVE, zone=zone)
        revision = await publish_policy(self.producer, name, document, replaces=None, set_by="tests", set_at=now)
        token = issue_bearer_token(TOKEN_KEY, name, client, now, _LASTS, role)
        self.handed_out |= {secret, token}
        return Tenant(name, client, secret, token, revision, zone)

    async def person(self, tenant: Tenant, owner: str | None = None) -> Person:
        """Make a fresh person of a tenant, with a token."""
        owner = owner or fresh_owner()
        name, aliases = f"Person {owner}", (f"{owner}@example.test",)
        async with self.pool.acquire() as conn:
            await create_person(conn, tenant.name, owner, name, aliases)
            token = await issue_person_token(conn, tenant.name, owner, datetime.now(UTC) + _LASTS)
        self.handed_out.add(token)
        return Person(owner, name, token, aliases)

    def telling_logs(self) -> list[str]:
        """Return the logs, of whichever process, that tell a token or a secret."""
        logs = {log.name: log.read_text(errors="replace") for log in self.stack.settings.logs.glob("*.log")}
        return [name for name, said in logs.items() if any(secret in said for secret in self.handed_out)]

    def partition_of(self, tenant: Tenant, owner: str) -> int:
        """Return the partition of an owner's presses."""
        return partition_of(slot_of(tenant.name, owner), self.partitions)

    async def fresh_database(self, name: str) -> str:
        """Make an empty, migrated database on the same server, to fold the log into once more. Return its DSN."""
        async with connected(self.stack.postgres.superuser_dsn) as conn:
            await conn.execute(f'DROP DATABASE IF EXISTS "{name}"')
            await conn.execute(f'CREATE DATABASE "{name}" OWNER stint')
        dsn = f"{self.dsn.rpartition('/')[0]}/{name}"
        async with connected(dsn) as conn:
            await migrate(conn)
            await record_partitions(conn, self.partitions)
        return dsn


def fresh_owner() -> str:
    """Return an owner that no other test uses."""
    return f"owner-{next(_numbers)}"


@asynccontextmanager
async def deployed(stack: Stack) -> AsyncIterator[Deployment]:
    """Give a deployment on a running stack: tables, topics, and the tests' own pool and producer.

    At its end no log of any process may tell a token or a secret that was handed out.
    """
    dsn = stack.postgres.dsn
    stack.postgres.make_roles()
    kafka = KafkaAddress(bootstrap_servers=stack.kafka.address)
    async with connected(dsn) as conn, Brokers(kafka) as brokers:
        await migrate(conn)
        await ensure_topics(brokers, conn, PARTITIONS)
    producer = durable_producer(kafka)
    await producer.start()
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, server_settings={"timezone": "UTC"}) as pool:
        deployment = Deployment(stack, pool, producer, dsn, PARTITIONS)
        try:
            yield deployment
        finally:
            # With a broker that a test has left dead, the producer would wait for ever.
            await ended_within(10, producer.stop(), "producer")
        # Whatever the tests have done: tests/integration/test_canaries.py tries it on purpose.
        assert deployment.telling_logs() == [], "a log tells a token or a secret"
