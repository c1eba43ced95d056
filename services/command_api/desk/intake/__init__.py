"""Intake: what dialect D may ask for. Its callers wait at a topic and not at a socket.

    ports      a command as it came, and the parts that its way needs
    counted    a recorder whose answers are counted

Safe to change: a new question that the dialect may ask.
Never: words, headers or topics in here; they are the dialect's.
"""
