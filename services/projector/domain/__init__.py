"""Timesheets: how one owner's presses add up to minutes, and which rules they break.

Pure: the standard library and `shared.events`; no clock, chance, pool, broker or settings.

    entry                a press at its place on the log
    fold                 known, void, settled, judged, evolved: what one record amounts to
    judge rules verdict  which rules a press breaks, in order of answering
    effect evolve settle what an accepted press changes, and what falls due by itself
    state facts ledger   a timesheet, what an owner is known for, what was judged before

Safe to change: rules and the limits they are given; presses are judged once, and old verdicts stand.
With care: `evolve`. Stored totals were folded by it, so a change means a rebuild.
Never: rename a verdict or a rule. The names are stored, and other people's reports read them.
"""
