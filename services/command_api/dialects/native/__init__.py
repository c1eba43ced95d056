"""Dialect C, `/v1`: our own.

    calls      each press, and the routes
    admitted   the caller of each, who is known and within their quota
    reading    bodies, from their bytes to commands
    reads      one timer, and the outcome of one press
    policy/    the tenant's policy: set, read, and its history
    lists/     what all lists have in common: filters, cursors and pages
    timers/    lists of timers: by filters, and those of an owner now
    reports/   findings and days
    owners/    what admins state about owners, and what is known of them
    answers    timers as judged, and errors as RFC 9457 problems that name the rule
    sentences  what may stand in each parameter

Safe to change: a new optional field in an answer. With care: what counts as "not given", because digests rest on it.
Never: the name or the meaning of a field that exists.
"""
