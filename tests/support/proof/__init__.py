"""Proof: what must be true after a run, and how it is read.

    checkers/    C1-C10, C15 and C16: functions over plain evidence, of the real stack or of the seeded world
    naive/       a second fold, written apart from the first, slow and obvious
    evidence     the topics and tables of a run on the real stack, as the checkers want them
    tables       tables as text, row by row, so that two databases can be compared byte by byte
    minutes      what one owner worked, as each table has it
    twice        what the naive fold makes of a log that the product's fold has read
    laws         the control of a property: with a fault in the product it must fail
    words        what callers hear of each refusal, copied from the contract by hand
    told         what the OpenAPI document says of an answer
    trail        every move of each checkpoint, in the order of the commits

Safe to add: a checker, with a control in `tests/world/guards.py` that makes it fail.
With care: `naive/`; it is changed from the contract, never to agree with the product.
Never: a line of the product's domain in `naive/`, or a checker that was never seen to fail.
"""
