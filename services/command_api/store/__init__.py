"""Store: what the API asks of Postgres, each query in a .sql file beside the function that runs it.

    database     one query at a time on a pool, which raises ReadsAwayError while Postgres is away
    reads        the read models, one tenant at a time
    reports      findings and days, one tenant at a time
    lookout      waiting until the read models have passed a position: one query for all requests that wait
    owners       what an owner's facts come to, as one value
    directory    clients, persons and tokens, as the operators' commands wrote them
    people       the aliases of persons, which admins may write
    threshold    how often a caller may call (R19): the one query that refuses, and it writes too

Safe to change: queries, sizes and waits. With care: `lookout` and `threshold`, which must not miss a request that comes
while they end.
Never: a write to a table that is not `threshold` or `person`, or a read of another table than `threshold` in order to
refuse a command.
"""
