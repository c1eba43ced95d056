"""Dialect D, `timer.commands.v1`: other services press through Kafka (docs/contract.md, section 5).

    reading    a record, from its bytes to a command, or the reason why it is none. New fields of a body go here
    calls      the whole way of one command: read, recorded, answered, or buried with the reason
    replying   the answer on its way to the service that waits, whose address may be sick
    answers    the reply to the service that waits, and the record on `timer.dead.v1`

Safe to change: the sentence of a reason. With care: what counts as "not given", because digests rest on it.
Never: a command that is neither on the log nor on `timer.dead.v1` when `calls` is through with it.
"""
