"""The store: SQL, and the few functions that run it. Nothing here decides anything about a press.

    postgres    one read and one write per batch
    statement   the queries of one write, joined into one statement
    sheets      what `read_touched` returns, as timesheets and verdicts
    rows        what outcomes mean for each table; pure
    history     the lines that an outcome adds to the histories of timers; pure
    deadlines   what the clock reads: deadlines, running owners; and the mark that it writes
    policies    rows of the policies that came into force, for reports
    queries     the .sql files of this room, by name

Safe to change: how rows are read and written, while one batch stays one read and one write.
With care: `rows`. The same code writes fresh outcomes and those of the stream, so that a rebuild gives the same bytes.
Never: a write of a batch that does not read its rows through `gate`, which is empty when the compare-and-set fails.
"""
