"""Deployment: what a deployment stands on. Each of these is made once, and looked at by `doctor` and others.

    migrate       tables, by numbered files, each once; and the rights of the services' roles
    topics        topics, as they must be
    partitions    P, for life, and a checkpoint for each partition

With care: all of it runs against databases and logs that hold people's minutes.
Never: another P after the first press.
"""
