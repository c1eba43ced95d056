"""Dialect A, `/v2/timer` and `/oauth/token`, as TheBase's CRM publishes it.

    calls      each request, and the routes
    reading    bodies and pages, from their bytes to commands
    answers    its Hebrew texts, totals, list and errors
    token      a client's id and secret for a bearer token

Safe to change: words that are "ours" in docs/contract.md, section 2.
Never: a published word, status or key; an answer that tells an unknown timer from another tenant's.
"""
