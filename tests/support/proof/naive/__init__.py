"""A second fold, written apart from the first, with plain dicts, slow and obvious.

It is written from `docs/contract.md` and `docs/architecture.md`, never from the first fold.

    fold        one partition, record by record, into a book
    book        what is known of a partition, and how it changes
    due         what falls due, and when
    ahead       when an owner is to be looked at next
    settle      everything that is due happens
    moved       what was told about crossings that a late press moves
    facts       what a record says of its owner
    reading     what a record says
    rules       what each rule finds, in the order of answering
    outcome     how an outcome is written
    policies    which documents of a tenant came into force
    days        local days, found by walking
    history     what happened to each timer, from the outcomes
    tables      the books as the text of each table

It shares the pinned zone data, the layout of ids and the policy book with the product, and no line of its domain.
"""
