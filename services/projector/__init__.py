"""The projector: presses in, verdicts and read models out. One writer per partition.

    loop/      one writer per partition: poll, fold, commit, answer; `recover` is the only way in
    domain/    what a press amounts to, pure
    store/     SQL, and the few functions that run it
    audit      today's code against outcomes of the past

Safe to change: the ports' other sides (kafka_*.py, `store/`), and the feeds of texts and policies beside the fold.
With care: the order of steps in `loop.recover` and `loop.writer`. Each guards against a crash; `tests/world` has them.
Never: judge outside the fold, write a row outside the transaction of its checkpoint, publish what is not committed.
"""
