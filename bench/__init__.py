"""Benchmarks: what a press costs beside other services, and what a change of the code costs, as ratios within one run.

    __main__    `make bench`: the product, a bare CRUD service, and one with the same promises, side by side
    rounds      in which order product and peers are measured
    catch_up    part of it: the projector as it is deployed fills an empty database from the outcomes of that load
    growth/     `make bench-growth`: a product that holds a million timers, beside one that holds a thousand
    way/        `make bench-way`: where a press that comes alone spends its time
    profile     `make bench-profile`: where API and projector spend their time
    soak        `make bench-soak`: memory, descriptors and connections under a long load
    rules/      `make bench-rules`: what a press costs in the fold with all rules flagged, or with hundreds of timers
    refill      `make bench-catchup`: helpers fill an empty database in this process, from outcomes that it makes first;
                then a rebuild beside its peer
    rebuilding  the programs of the rebuild and of its peer, for `refill`
    console     the end of each bench: its status, its message, Ctrl-C
    load/       wrk and what it sends
    peers/      the services beside which the product is measured
    rig/        the product and the peers, started and ended; processes, topics and Postgres, read
    report/     tables and ratios from the samples; pure

Safe to change: all of it; no service imports it. With care: the load and the peers, because figures of before and after
are compared.
Never: a time limit in a test. Machines differ, and a ratio of interleaved rounds does not.
"""
