"""One owner's timesheet: what is known of an owner before a press, and how outcomes add to it.

    state       a timesheet: its timers, the intervals that run, and those that were worked
    jobs        the time of an owner on a job, and the estimate
    evolve      how an outcome is folded onto a sheet
    taken_back  a timer as if nothing had ended it: a late press belongs before an end that nobody pressed
    facts       what an event states about its owner
    ledger      the sheets and verdicts that one batch knows

With care: `evolve`. Stored totals were folded by it, so a change means a rebuild.
Never: a decision. An outcome is judged, and nothing is checked again.
"""
