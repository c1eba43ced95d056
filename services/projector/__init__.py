"""The projector: presses in, verdicts and read models out. One writer per partition.

    consume   the loop: poll, fold, commit, answer        recover   the only way into a partition
    domain/   what a press amounts to, pure               store/    SQL, and the few functions that run it

Safe to change: the ports' other sides (kafka_*.py, store/), and the feeds of texts and policies beside the fold.
With care: the order of steps in `recover` and `write`. Each guards against a crash; tests/world has them all.
Never: judge outside the fold, write a row outside the transaction of its checkpoint, publish what is not committed.
"""
