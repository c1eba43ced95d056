"""The world: seeded, single-threaded, under the same `Projector` loop as production (tests/README.md).

    plan, trouble              what may go wrong in a seed, and when     loop       virtual time
    topics, database, tables   Kafka and Postgres, in memory             story      from the first press to the last row
    process, ports, group      projectors                                verdicts   every checker over one story
    office, people, foreign    who presses, and through what             guards     the controls

One seed again: `python -m tests.world SEED`. All of it happens in one thread, in an order that only the seed decides.
Safe to add: a fault (a rate in `plan`, and whoever asks `world.happens`); it moves every seed to another story.
Never: a clock, a thread, a set that is iterated, or chance from anywhere but `world.chance`.
"""
