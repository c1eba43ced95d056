"""Owners in dialect C, `/v1/owners/{owner}`: what admins state about them, and what is known of them.

    calls      each statement, a press like any other, and the reading of all that is known
    reading    paths and bodies, from their text to commands
    answers    one fact as it was learned, and all facts of an owner

Safe to change: a new optional field in an answer. With care: what counts as "not given", because digests rest on it.
Never: an alias in a digest or an event. It may be a mail address, and both are kept for ever.
"""
