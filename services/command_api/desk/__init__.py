"""The desk: what a dialect may ask for, and the values that cross. Dialects, submission and store stand on it.

    desk        the ports of the API: identities, the tenant's policy, reading, reports, submitting
    intake/     the ports of dialect D, whose callers wait at a topic
    commands    what every dialect translates to, and the answers that it translates from
    questions   what a read asks for where an id is not enough
    rows        what the read models say, as values; nothing here knows SQL or HTTP
    attended    from when to when an owner worked on each local day
    policies    a tenant's policy, set and read revision by revision
    tally       how presses were answered, in numbers
    follow_up   what the outcome of an event id says about a press that was answered 202

Safe to change: a new question, or a new optional value. With care: a command's fields, because digests rest on them.
Never: a dialect's word, a query or a topic in here.
"""
