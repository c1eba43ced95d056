"""The command API: HTTP in, events out, verdicts back. It remembers nothing.

A press goes `dialects` -> `submit` -> `submit.sender` (the log).
Its verdict comes back `submit.replies` -> `submit` -> `dialects`.
What a request shows by itself is refused here. What needs history is judged from the log, by the projector.

    desk/            what a dialect may ask for, and the values that cross
    dialects/        each published API, translated; nothing else
    openapi/         all calls as an OpenAPI document, and its page
    inbox/           `timer.commands.v1`, read and committed
    submit/          a press on its way to the log, its verdict on the way back
    auth/            which client or person a token stands for
    guards/          what stands around every request
    store/           what is asked of Postgres: reads, the count of requests (R19), and aliases of persons
    sweep            one look at all deadlines, instead of a timer for each request
    partition_check  whether the topics have the deployment's number of partitions
    metrics          what an API tells Prometheus
    app, settings    wiring, and what it is wired with

Safe to change: a dialect. With care: `submit`, because each line of it is a promise of docs/contract.md, section 4.
Never: read a table that the projector is about to write, in order to refuse a command.
"""
