"""Rules: what they cost a press in the pure fold. `make bench-rules`; it needs no running part.

    __main__    who is measured beside whom, in turn, and the ratios
    policies    every rule flagged with every limit, and no rule at all
    days        working days of owners, as logs: plain, with facts, with a second timer, with hundreds that run

Safe to change: all of it. With care: the days, because figures of before and after are compared.
"""
