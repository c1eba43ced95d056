"""Lists of dialect C: what those of timers, of findings and of policies have in common.

    filters    the parameters, and how many items a page has
    cursor     where a list goes on, as its callers carry it
    pages      a page of a list, what is known of one owner, and who may ask about whom

With care: `cursor`. Callers hold cursors of the release before.
Never: a filter that is silently ignored. A report about everybody then looks like one about somebody.
"""
