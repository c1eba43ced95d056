"""The checkers of C1-C10, C15 and C16: functions over plain evidence, of the real stack or of the seeded world.

    history    the evidence itself: what was pressed and heard, topics, tables, moves of checkpoints
    presses    C1-C5 and C10: what callers heard, against the log and the verdicts
    tables     C6, C8, C9 and C16: the tables, against the log and against each other
    replay     C7: the same bytes when the logs are folded again
    fence      C15: checkpoints only move forward, from where they were
    every      all of them, by name

Each returns a list of sentences that begin with its number. An empty list means that nothing is wrong.
"""
