"""One partition as its writer holds it, from taking it up to publishing its outcomes.

    partition    where it stands, what is cached, whether it may be read
    recover      the only way into a partition, whatever happened before
    batch        what one poll returned for it, from raw records to a commit and its answers
    writer       read, fold, commit, and what is tried next when the store refuses
    cache        timesheets that were read or folded before
    outbox       committed outcomes on their way to the judged stream, verdicts on their way to callers

With care: the order of steps in `recover` and `writer`; each guards against a crash.
Never: an outcome published, or a reply sent, before its commit.
"""
