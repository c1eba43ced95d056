"""Watch: what an operator asks of a running deployment. Everything here only reads.

    commands        `doctor`, `dead-letters list | show`, `outcomes show`, `audit`
    doctor          every check, in the order in which one part needs another
    diagnosis       what one check found
    places/         where projectors and APIs stand on their logs
    processes       an API and a feed, asked over HTTP
    dead_letters    records that could not be read, from Postgres and from the log
    outcomes        what became of one record, from Postgres
    audit           presses judged again, by the projector's own program
    log             Kafka's records and offsets, read outside every group

Safe to change: a check, and what it advises. With care: `--json`, which programs read.
Never: a check that writes, or one that moves a checkpoint. A watcher that mends hides what is broken.
"""
