"""The loop: one writer per partition. It knows the ports and the domain, and neither Kafka nor Postgres.

    projector    poll, fold, commit, answer
    keeper       the partitions that the group gave us: taken up, held, let go; draws their states
    partition/   one partition as its writer holds it: taken up, read, folded, committed, published
    upkeep       beside the fold: progress is saved, old outcomes are deleted

Safe to change: sizes and waits. With care: the order of steps in `partition`; each guards against a crash.
Never: an answer before the commit, a fold of a partition that is not LIVE.
"""
