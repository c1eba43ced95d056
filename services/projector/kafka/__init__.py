"""Kafka: the other side of three ports, over `shared.kafka`. Nothing here decides anything about a press.

    events      `timer.events.v1`, as one member of the group reads it; paused and sought by us
    outcomes    `timer.outcomes.v1`, the judged stream: read on taking a partition up, appended to after each commit
    replies     `timer.replies.v1`: verdicts for the requests that wait
    reader      reading by offset, outside every group: for checks and for catching up

Safe to change: sizes and waits.
With care: `events`. Nothing may be awaited before new partitions are paused and sought.
Never: an offset committed to Kafka. Ours are in Postgres, in the transaction of what they stand for.
"""
