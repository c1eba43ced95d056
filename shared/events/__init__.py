"""The contract: events, envelope, ids, topics, outcome and policy, as other teams code against them.

Pure: the standard library, pydantic and tzdata; no clock, broker, pool or settings.

    models, envelope, codec       an event's body, its headers, and reading both
    outcome                       event, verdict and all that it changed
    brief                         the part of an outcome that an answer to its press needs
    texts                         free text about a timer, the only place where it is written
    topics                        their names, partitions and configuration
    ids                           slots, partitions and a timer's ids
    idempotency                   what one Idempotency-Key means, for both services
    policy                        a tenant's document
    policies/                     all documents, what they ask of presses, and how they are read from people
    rules, rule_table, rule_rows  the rules' names, the table of all that is said of them, what a row of it holds
    calendar, zones, durations    local days, time zones, whole microseconds
    base                          the kinds of values that all of these are made of
    value                         what an outcome and its parts are: plain dataclasses that nobody changes

The wheel `stint-events` (packages/stint-events) is this room as `stint_events`, so modules here import one another
relatively. Not in the wheel: policies, the table of rules, calendar, zones and `brief`.

Safe to change: docstrings, and the addition of optional fields (readers first).
With care: anything that is written to a topic. A log cannot be renamed.
Never: the meaning of a field that exists. Add a `.v2` beside the `.v1`.
"""
