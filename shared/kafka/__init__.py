"""Kafka: how we open brokers. The only room that knows the insides of aiokafka and FastStream.

    clients            producers and consumers, each option written out once with its reason
    quick_sending      aiokafka's producer, woken by callbacks instead of a loop
    quick_reading      records asked for by the loop that takes them: one partition, or those of a group's member
    packing            batches as gzip, unpacked within bounds of memory
    kept_producer      one idempotent producer; a broken one is dropped and replaced
    foreign_topics     which topics of other services exist, and which partitions they have
    post               single records to topics of other services
    feed               slow topics, read raw through FastStream's broker, record by record
    lenient_records    reading what would stop aiokafka: header names that are not UTF-8, batches that grow too large
    policy_reader      the policies' topic, read from its beginning into a book
    policy_writer      one policy as a record for that topic; an unfit one is refused

Safe to change: sizes and waits. With care: every option that acks or idempotence rest on, and what replaces parts of
aiokafka (`lenient_records`, `packing`, `quick_sending`, `quick_reading`), because of which both libraries are pinned to
the patch.
Never: a client that is opened elsewhere, a partition that a client's hash chose, a topic made by writing to it.
"""
