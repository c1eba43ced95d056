"""Benchmarks: what a press costs beside other services, and what a change of the code costs, as ratios within one run.

    __main__    `make bench`: the product, a bare CRUD service, and one with the same promises, side by side
    rounds      who is measured when
    rules       what a press costs in the fold with all rules flagged, against none
    refill      a lost database and a rebuild, on outcomes of the real fold, without a load before
    rebuilding  what `refill` asks of a rebuild and of its peer
    load/       wrk and what it sends
    peers/      the services beside which the product is measured
    rig/        the product and the peers, started and ended; processors and Postgres, read
    report/     what the samples say, without looking at anything

Never: a time limit in a test. Machines differ, and a ratio of interleaved rounds does not.
"""
