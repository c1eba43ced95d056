"""Inbox: `timer.commands.v1`, read round by round, and committed when all of a round is settled.

    feed       the reader of the topic: its group, its rounds, its commits
    rounds     one round: commands of one key in their order, those of different keys together

Safe to change: sizes and waits. With care: what a commit follows. It says that each command up to there is on the log
and answered, or on `timer.dead.v1`.
Never: a command skipped because something is away, or an offset committed before its command is settled.
"""
