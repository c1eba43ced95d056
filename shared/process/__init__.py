"""Process: how one process runs and ends.

    http/            requests and answers, from the socket to the call
    background       tasks that run for ever, and the end of the process when one of them ends
    garbage          how seldom a process looks for garbage
    bugs             what a caller is answered, and what is logged, when a call raises something unexpected
    logs             one JSON line per event; libraries are heard from WARNING on, and not in a flood; `loggable` is
                     what a log line may quote of an error
    alarms           how often each alarm was raised
    metrics          what a process tells Prometheus of itself
    spread           how long something took, counted into buckets
    turns            what has begun goes out before something else begins
    clock            the moment, and the type of an argument that returns it
    ending           one step of a shutdown, with a limit
    backoff          how long to wait before a retry; a failure that repeats is logged once

Safe to change: limits. With care: the order of an end. A step that hangs must not take the time of the next.
Never: an end that waits for a broker without a limit.
"""
