"""Golden files: what other programs and earlier releases have recorded. Files are added, and never edited.

    log/          logs as releases wrote them: a file for each topic, a line for each record
    recorded.py   reads such a log
    record.py     writes one, once: `python -m tests.golden.record`
    commands/     commands of other services, and the press that each one is for ever
    outcomes/     an outcome of a running service, and the bytes of its row
    schemas/      docs/schemas of each release
    headers/      the headers in docs/asyncapi.json of each release

The logs hold every type of record, with every member that one may have. tests/unit/test_golden.py reads each line with
each of our readers, and fails when a type or a member is missing.
"""
