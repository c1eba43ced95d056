"""Texts: comments and work items of timers, kept beside the fold and independent of it.

    feed          FastStream's broker reads `timer.texts.v1` and hands it to the projection
    projection    keeps texts and erases them, with its position in one transaction
    batch         what a run of records changes, newest last; pure
    eraser        searches the outcomes for erasures of owners, and deletes their texts
    erasures      whose texts an outcome erases, and up to which timer; pure
    tombstones    writes the eraser's tombstones to the topic
    queries       the .sql files of this room, by name

Safe to change: sizes and waits. With care: erase before keep, the lock of a position before it moves, and a tombstone
before its text is deleted here.
Never: a text in a log line, or a query of the fold's tables. `outcome` is not one of them: it is outside the versions.
"""
