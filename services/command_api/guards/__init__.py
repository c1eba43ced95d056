"""Guards: what stands around every request, before a dialect reads it.

    bodies    how large a body may be and how long it may take
    origins   which pages of other sites may call from a browser (CORS)

How a caller is answered when a dialect raises something unexpected is in `shared.process.bugs`.
Safe to change: limits. With care: their order in `app`. Never: a body, a header or a token in a log line.
"""
