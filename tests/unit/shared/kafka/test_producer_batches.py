"""Producers: what one round trip to a partition carries."""

from shared.kafka.clients import AIOKafkaProducer, KafkaAddress, durable_producer

OUTCOME = b"x" * 1024
ADDRESS = KafkaAddress(bootstrap_servers="127.0.0.1:9")


async def fits(producer: AIOKafkaProducer) -> int:
    """Return how many outcomes go into one batch."""
    batch, count = producer.create_batch(), 0
    while batch.append(timestamp=None, key=b"acme/dana", value=OUTCOME, headers=[]) is not None:
        count += 1
    await producer.stop()
    return count


async def test_hundreds_of_outcomes_are_one_round_trip() -> None:
    assert await fits(durable_producer(ADDRESS)) > 200
    assert await fits(AIOKafkaProducer(bootstrap_servers="127.0.0.1:9")) < 20  # the control: the client's own default
