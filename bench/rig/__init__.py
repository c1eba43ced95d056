"""The rig: product and peers, started and ended, and what is read of them beside the load.

    product     the product on a stack of its own
    peer        a service to compare it with, on the same Postgres
    database    statements to Postgres between rounds
    topics      what Kafka keeps for ever
    cpu         the processor's seconds of a process and its children
    sizes       memory, descriptors and connections of a process

Never: a file outside `.stint/bench`, a port that is open to the network, a process that outlives its run.
"""
