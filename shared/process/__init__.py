"""Process: how one process runs and ends.

    http_protocol  how a request is read off a connection, so that none hides in another
    server         serving HTTP from the first request to the last, and ending within a limit
    logs           one JSON line per event; libraries speak from WARNING on, and repeat themselves seldom; what may
                   be said of an error, which may quote a record
    ending         one step of a shutdown, with a limit
    backoff        how long to wait between two tries; what keeps failing is logged once, not at every try

With care: the order of an end. A step that hangs must not take its turn from the steps behind it.
Never: an end that waits for a broker without a limit.
"""
