"""Fakes: stand-ins for the product's ports, store and desk. They prove wiring and branches, and nothing else.

Each module says under its first line where it differs from the real part.

    desks            the API's desk: answers what a test tells it to, and remembers what it was asked to record
    intake           the parts of an intake of commands, each with a mood for every call
    in_hand          the projector's ports: logs that are lists, a clock that moves when told, trouble on demand
    outcome_store    a store that remembers only the bytes of committed outcomes
    clock_house      the deadline clock at work on ports in hand
    house            the projector's loop at work on ports in hand
    recovery         a partition to recover: a log, a judged stream and a store, each filled as far as a test says
    wire             a connection in memory, on which our HTTP protocol answers
    writer_desk      the writer of batches, and a store that says no when a test wants it to

Safe to add: a mood. With care: `outcome_store`; it shares no code with the product's store, and must not.
Never: a stand-in where the real part is on trial.
"""
