"""Texts: what people wrote about their timers, kept beside the fold and independent of it.

    feed          FastStream's broker reads `timer.texts.v1` and hands it to the projection
    projection    keeps texts and erases them, with its position in one transaction
    batch         what a run of records amounts to, newest last; pure
    queries       the .sql files of this room, by name

Safe to change: sizes and waits. With care: erase before keep, and the lock of a position before it moves.
Never: a text in a log line, or a look into the fold's tables.
"""
