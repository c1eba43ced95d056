"""The projector: presses in, verdicts and read models out. One writer per partition.

    loop/      one writer per partition: poll, fold, commit, answer; `recover` is the only way in
    ports      the hinge: loop, kafka, store and audit know it, and not each other
    domain/    what a press amounts to, pure
    kafka/     the events, the judged stream and the replies
    store/     SQL, and the few functions that run it
    texts/     what people wrote about their timers, beside the fold and independent of it
    audit      today's code against outcomes of the past
    app wires the parts; health says whether it is alive, folds and advances

Safe to change: the ports' other sides (`kafka/`, `store/`), and the feeds of texts and policies beside the fold.
With care: the order of steps in `loop.recover` and `loop.writer`. Each guards against a crash; `tests/world` has them.
Never: judge outside the fold, write a row outside the transaction of its checkpoint, publish what is not committed.
"""
