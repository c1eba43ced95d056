"""Helpers: processes that bring partitions of a database to the end of the judged stream, when it is far behind.

    helpers       the owner's side: helpers are started, given partitions, and ended
    nursery       a process that makes helpers by fork, at once
    helper        what a helper process does
    quick_reader  reads outcomes that are as we write them, in half the time
    bulk          the store that helpers and rebuilds write with: the same rows as any commit's, by COPY

One process can use one core to read outcomes and turn them into rows. Helpers use the other cores, and their owner goes
on with its own work. A helper only makes a commit that its owner could make, and the compare-and-set decides whose
counts. So a helper may be killed at any time, and its owner does what is left.

Safe to change: how many, and which partition comes first. With care: how a helper ends, because it must not outlive its
owner; and when a nursery is made, because what it inherits must be nothing that two processes must not share.
Never: judge, or rely on a helper.
"""
