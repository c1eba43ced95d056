"""Policies: all documents in the order of their topic, what one asks of presses, and how one is read from people.

    book        the documents of all tenants by revision, as a process has read them
    revisions   all that one tenant ever set, packed
    terms       what a document asks of presses, worked out once
    document    a document as people write it: each mistake told by its path

Safe to change: sentences about mistakes. With care: the order in which documents come into force.
Never: a look at a clock or a broker.
"""
