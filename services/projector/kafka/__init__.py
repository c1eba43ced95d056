"""Kafka: four ports over `shared.kafka`. Nothing here decides anything about a press.

    events      `timer.events.v1`, read as one member of the group; paused and sought by us
    outcomes    `timer.outcomes.v1`, the judged stream: read when a partition is taken up, appended to after each commit
    replies     `timer.replies.v1`: verdicts for the requests that wait
    ticks       `timer.events.v1`, as the clock writes to it
    reader      reading by offset, outside every group: for checks and for catching up

Safe to change: sizes and waits.
With care: `events`. Nothing may be awaited before new partitions are paused and sought.
Never: an offset committed to Kafka. Our offsets are in Postgres, in the transaction of the rows that they stand for.
"""
