"""The world: a seeded, single-threaded one, in which the projector's loop of production runs.

    world       what all parts share: one clock, one source of chance, the topics, the database
    loop        virtual time: an event loop without I/O
    plan        what a seed's world is made of, and which faults it may have
    trouble     faults of processes and machines, and their repair
    policies    an ordinary policy, and any
    topics      Kafka in memory: events, outcomes, policies
    texts       the topic of texts, and the product's reading of it checked by a plain one
    database    Postgres in memory: transactions, locks, time-outs, the fence
    tables      what each query of the store does to rows
    columns     the columns of those rows, and where a row may have nothing
    process     one projector: the product's loop, whole
    ports       the ports of that loop, with their faults
    clock       the ports of its deadline clock, with their faults
    group       the consumer group: which projector has which partition
    office      one API process: the product's submitter on a sender of the world
    people      the clients that press
    foreign     records that came through no API of ours
    story       one seed, from the first press to the last row
    verdicts    every checker over one story
    guards      the controls: each guard, switched off
    guards_of_readers  the controls of what reads the log

Where it differs from production: there is no network, no SQL, no HTTP and no second thread.
`test_tables` compares its tables with those of Postgres.
One seed again: `python -m tests.world SEED`. All of it happens in one thread, in an order that only the seed decides.
Safe to add: a fault (a rate in `plan`, and a place that asks `world.happens`); it moves every seed to another story.
Never: a clock, a thread, a set that is iterated, or chance from anywhere but `world.chance`.
"""
