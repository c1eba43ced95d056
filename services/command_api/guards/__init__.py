"""Guards: what stands around every request, before a dialect reads it and after one failed.

    bodies    how large a body may be and how long it may take
    bugs      what a caller hears, and what the log says, when a dialect raises something unexpected

Safe to change: limits. With care: their order in `app`. Never: a body, a header or a token in a log line.
"""
