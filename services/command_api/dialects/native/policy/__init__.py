"""The tenant's policy in dialect C: `/v1/policy` (docs/contract.md, section 8).

    calls      PUT and the GETs, and who may make them
    reading    a PUT from its body and headers; revisions and cursors as callers spell them
    answers    documents with their revisions, and why a document was not set

Safe to change: the sentences. With care: what counts as a repeat, and the revision that a PUT replaces.
Never: an answer that says "not set" while the document may yet come into force.
"""
