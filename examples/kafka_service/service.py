"""A service that commands Stint through Kafka, and waits for the verdict on a reply topic of its own.

STINT_KAFKA=127.0.0.1:19092 STINT_TENANT=demo STINT_CLIENT_ID=… python service.py timer.replies.crm dana
"""

import asyncio
import json
import os
import sys
import uuid
from asyncio import FIRST_COMPLETED
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from stint_events.outcome import Outcome, read_replies
from stint_events.topics import COMMANDS, DEAD

AGAIN_AFTER_SECONDS: Final = 60.0
VOID_PAUSE_SECONDS: Final = 1.0
TRIES_MAX: Final = 10


class NotAnsweredError(Exception):
    """A command was sent so often, and heard nothing. Nobody answers one that cannot be read."""


class Commands:
    """Commands of one process. It owns one partition of the reply topic, here the only one."""

    def __init__(self, kafka: str, tenant: str, client: str, replies: str) -> None:
        self._tenant, self._client, self._replies = tenant, client, TopicPartition(replies, 0)
        self._producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}

    async def __aenter__(self) -> Self:
        """Listen first, and command afterwards: an answer takes a few milliseconds."""
        await self._producer.start()
        await self._consumer.start()
        self._consumer.assign([self._replies])
        await self._consumer.seek_to_end(self._replies)
        await self._consumer.position(self._replies)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.cancel()
        await self._consumer.stop()
        await self._producer.stop()

    async def press(self, verb: str, owner: str, body: dict[str, Any], command_id: str) -> Outcome:
        """Return the outcome of a command: accepted, or refused with its rule.

        Without an answer, and after `void`, the command is sent again under its id, and is the same press. Write the
        id down before you press, and your own crash does not double it either. Only silence uses up tries.
        """
        silences = 0
        while silences < TRIES_MAX:
            answer = self._waiting[command_id] = asyncio.get_running_loop().create_future()
            try:
                await self._send(verb, owner, body, command_id)
                await asyncio.wait((answer, self._listening), timeout=AGAIN_AFTER_SECONDS, return_when=FIRST_COMPLETED)
            finally:
                del self._waiting[command_id]
            # First, because the listener may have failed just after it heard this answer.
            if answer.done() and answer.result().verdict != "void":
                return answer.result()
            if self._listening.done():
                self._listening.result()  # it ends only by an error: NewerOutcomeError wants the newer wheel
            if answer.done():
                print(f"{verb}: void, again under the same id", flush=True)
                await asyncio.sleep(VOID_PAUSE_SECONDS)
            else:
                # Nobody answers a command that cannot be read: a misspelt member, a client that Stint does not know.
                print(f"{verb}: no answer, again under the same id; {DEAD} says why if it cannot be read", flush=True)
                silences += 1
        raise NotAnsweredError(f"{verb} {command_id}: no answer after {TRIES_MAX} tries. Look for it on {DEAD}.")

    async def _send(self, verb: str, owner: str, body: dict[str, Any], command_id: str) -> None:
        headers = {
            "ce_specversion": "1.0",
            "ce_type": f"timer.{verb}.v1",
            "ce_id": command_id,
            "ce_source": self._client,
            "reply_to": self._replies.topic,
            "reply_partition": str(self._replies.partition),
        }
        await self._producer.send_and_wait(
            COMMANDS,
            value=json.dumps({"tenant": self._tenant} | body).encode(),
            key=owner.encode(),  # one owner's commands under one key: order holds within it alone
            headers=[(name, value.encode()) for name, value in headers.items()],
        )

    async def _listen(self) -> None:
        async for record in self._consumer:
            for reply in read_replies(record.value):
                waiting = self._waiting.get(reply.request_id)
                if waiting is not None and not waiting.done():  # answers may come twice, or to an earlier run
                    waiting.set_result(reply.outcome)


def told(outcome: Outcome) -> str:
    """Return a verdict in words: with its rule when it is a refusal, and the timer's state when there is a timer."""
    return " ".join(filter(None, (outcome.verdict, outcome.rule, outcome.timer and outcome.timer.state)))


def setting(name: str) -> str:
    """Return a variable of the environment. One that is missing or empty ends the program with a sentence."""
    return os.environ.get(name) or sys.exit(
        f"{name} is not set, or empty: README.md beside this program says what to export."
    )


async def make(replies: str, kafka: str) -> None:
    """Make the reply topic. In production an operator does, with a short retention."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(replies, 1, 1, topic_configs={"retention.ms": "3600000"})])
    await admin.close()


async def main() -> None:
    """Start, pause, resume and stop a timer of the owner that the command line names."""
    replies, owner = sys.argv[1:]
    kafka, tenant, client = map(setting, ("STINT_KAFKA", "STINT_TENANT", "STINT_CLIENT_ID"))
    await make(replies, kafka)
    async with Commands(kafka, tenant, client, replies) as commands:
        started = await commands.press("start", owner, {"owner": owner, "account_id": "A-1"}, str(uuid.uuid4()))
        print("start:", told(started))
        for verb in ("pause", "pause", "resume", "stop"):
            outcome = await commands.press(verb, owner, {"timer_id": str(started.subject)}, str(uuid.uuid4()))
            print(f"{verb}:", told(outcome))


if __name__ == "__main__":
    asyncio.run(main())
