"""Reports of dialect C: what supervisors ask, findings and days.

    calls      findings and days
    asking     queries, from their text to questions
    accept     the form that `Accept` asks for: JSON, CSV or XLSX
    answers    findings and days, in JSON
    tables     days, for spreadsheets

Safe to change: a new optional parameter, or a new field of an item.
Never: a filter that is silently ignored. A report about everybody then looks like one about somebody.
"""
