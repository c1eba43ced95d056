"""The command API: HTTP in, events out, verdicts back. It remembers nothing.

A press goes `dialects` -> `submit` -> `sender` (the log); its verdict comes back `replies` -> `submit` -> `dialects`.
What a request shows by itself is refused here; what needs history is judged from the log, by the projector.
Safe to change: a dialect. With care: `submit`, for each line of it is a promise of CONTRACT, section 4.
Never: a look at a table that the projector is about to write, in order to refuse a command.
"""
