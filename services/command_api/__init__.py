"""The command API: HTTP in, events out, verdicts back. It remembers nothing.

A press goes `dialects` -> `submit` -> `submit.sender` (the log).
Its verdict comes back `submit.replies` -> `submit` -> `dialects`.
What a request shows by itself is refused here; what needs history is judged from the log, by the projector.

    desk/        what a dialect may ask for, and the values that cross
    dialects/    each published API, translated; nothing else
    submit/      a press on its way to the log, its verdict on the way back
    guards/      what stands around every request
    store/       what is asked of Postgres; reads only
    app wires the parts; settings, health, auth (who calls) and sweep (all deadlines in one look) are its own

Safe to change: a dialect. With care: `submit`, because each line of it is a promise of CONTRACT, section 4.
Never: a look at a table that the projector is about to write, in order to refuse a command.
"""
