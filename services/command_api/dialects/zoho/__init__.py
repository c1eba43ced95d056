"""Dialect B, `/people/api/timetracker`, as Zoho People publishes it.

    calls      each request, and the routes
    reading    parameters, from their text to commands; whether the caller wants JSON or XML
    answers    published messages and codes, in JSON or in XML
    running    the running timer, in whole seconds since a local midnight
    dates      `dateFormat` and its letters

Safe to change: words that are "ours" in docs/contract.md, section 3.
Never: a message or a code that has "doc" beside it there, or the spelling of one.
"""
