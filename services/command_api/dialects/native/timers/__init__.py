"""Lists of timers in dialect C: those of a tenant by filters, those that an owner has now, and one's history.

    calls      the two calls, and who may ask about whom
    asking     queries, from their text to questions
    history    what happened to one timer

Safe to change: a new optional filter, with an index for it. Cursors and the common parameters are those of `lists`.
Never: a filter that is silently ignored.
"""
