"""The projector: presses in, verdicts and read models out. One writer per partition.

    loop/              poll, fold, commit, answer; each partition begins with `partition.recover`
    ports              the hinge: loop, clock, kafka, store and audit know it, and not each other
    clock/             ticks for owners for whom something falls due while nobody presses
    domain/            what a press amounts to, pure
    kafka/             the events, the judged stream, the replies and the ticks
    store/             SQL, and the few functions that run it
    texts/             comments and work items, beside the fold and independent of it
    audit              today's code against recorded outcomes, partition by partition
    auditor            the audit of a whole deployment, behind `stint audit`
    helpers/           processes that catch up a database which is far behind
    rebuild/           the read models filled anew, compared and switched, behind `stint rebuild`
    health             whether the process is alive, folds and advances
    lag                how far the fold is behind the log
    metrics            the metrics that Prometheus reads
    app, settings      wiring, and the settings that it is given

Safe to change: the rooms behind the ports (`kafka/`, `store/`), and the feeds of texts and policies.
With care: the order of steps in `loop.partition.recover` and `loop.partition.writer`. Each step guards against a crash;
`tests/world` tries all of them.
Never: judge outside the fold, write a row outside the transaction of its checkpoint, publish what is not committed.
"""
