"""`policy get | put | history | holidays`: a tenant's rules, by hand. The same log as `/v1/policy`, and the same words.

    commands           the arguments of each command, and what it prints
    documents          documents as files hold them and as they are printed
    public_holidays    dates of a country's holidays, copied into a document

Safe to change: what a command prints for people. With care: `--json`, which programs read.
Never: a date that is looked up when a press is judged. Dates are copied into the document, once, by an operator.
"""
