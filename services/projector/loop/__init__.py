"""The loop: one writer per partition. It knows the ports and the domain, and neither Kafka nor Postgres.

    projector    poll, fold, commit, answer
    keeper       the partitions that the group gave us: taken up, held, let go; draws their states
    partition    one partition as its writer holds it: where it stands, what it remembers, whether it may be read
    batch        what one poll returned for one partition, from raw records to a commit and its answers
    writer       read, fold, commit, and what is tried next when the store refuses
    recover      the only way into a partition, whatever happened before
    upkeep       beside the fold: progress is written down, old outcomes are deleted
    outbox       committed outcomes on their way to the judged stream, verdicts on their way to callers
    cache        timesheets that were read or folded before

Safe to change: sizes and waits. With care: the order of steps in `recover` and `writer`; each guards against a crash.
Never: an answer before the commit, a fold of a partition that is not LIVE.
"""
