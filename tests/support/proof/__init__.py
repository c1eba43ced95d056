"""Proof: what must be true afterwards, and how it is read.

    checkers/    C1-C10, C15 and C16: functions over plain evidence, whichever world it comes from
    naive/       a second fold, written apart from the first, slow and obvious
    evidence     the topics and tables of a run on the real stack, for the checkers
    tables       tables as text, row by row, so that two databases can be compared byte by byte
    minutes      what one owner worked, as each table says
    trail        every move of each checkpoint, in the order of their commits

Safe to add: a checker, with a control in `tests/world/guards.py` that it notices.
Never: a line of the product's domain in `naive/`, or a checker that is not seen to fail.
"""
