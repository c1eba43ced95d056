"""Helpers: processes that bring partitions of a database to the end of the judged stream, when it is far behind.

    helpers       started when they are needed, given partitions, ended when nothing is left
    nursery       where they come from: a process that makes them by fork, at once
    helper        what such a process does
    quick_reader  how it reads outcomes that are as we write them
    bulk          the store that it writes with, and rebuilds too: the same rows as any commit's, by COPY

To read outcomes and turn them into rows is work for one core. Helpers use the others, and the process that has them
goes on with its own work meanwhile. A helper only makes a commit that its owner could make: the compare-and-set decides
whose counts. So it may be killed at any time, and what it has not done, its owner does.

Safe to change: how many, and which partition comes first. With care: how a helper ends, because it must not outlive its
owner; and when a nursery is made, because what it inherits must be nothing that two processes must not share.
Never: judge, or rely on a helper.
"""
