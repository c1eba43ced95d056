"""Reports of dialect C: what supervisors ask, findings and days.

    calls      findings and days
    pages      a page of a list, of timers too, and who may ask about whom
    asking     queries, from their text to questions
    filters    the parameters that lists have in common, those of timers too
    cursor     where a list goes on, as its callers carry it
    answers    findings and days, in JSON
    tables     days, for spreadsheets

Safe to change: a new optional parameter, or a new field of an item.
With care: `cursor`. Callers hold cursors of the release before.
Never: a filter that is silently ignored. A report about everybody then looks like one about somebody.
"""
