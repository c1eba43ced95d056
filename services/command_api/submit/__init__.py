"""Submit: a press on its way to the log, its verdict on the way back.

    presses        one press, from a command to an answer; its steps and what a crash leaves
    press          what a command amounts to on the log; pure
    facts          the same for a command about an owner
    sender         the way there: in order, in batches, each record with its fate before a deadline
    replies        the way back: verdicts for the requests that wait for them
    lookup         what became of a press whose verdict did not come in time, or that was made before
    policies       the same for a tenant's policy; its answer is whether the document came into force
    clock_check    whether the broker's clock and ours agree, by every ack

Safe to change: waits and sizes. With care: everything else. Each line of `presses` is a promise of
docs/contract.md, section 4.
Never: an answer that says "recorded" before the log has acked, or "not recorded" while the press may yet be.
"""
