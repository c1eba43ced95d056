"""Timesheets: how one owner's presses add up to minutes, and which rules they break.

Pure: the standard library and `shared.events`; no clock, chance, pool, broker or settings.

    entry                   a press, or an unreadable record, at its place on the log
    fold                    what one entry amounts to: known, void, or settled, judged and evolved
    judge, rules            which rules a press breaks, in their order of answering
    effect, evolve          what an accepted press changes, and how a change is folded onto a sheet
    settle                  what falls due without a press
    outcomes                how the result is worded as an outcome
    state, facts, ledger    a timesheet, what an event states about its owner, what one batch knows

Safe to change: rules and the limits they are given; presses are judged once, and old verdicts stand.
With care: `evolve`. Stored totals were folded by it, so a change means a rebuild.
Never: rename a verdict or a rule. The names are stored, and other people's reports read them.
"""
