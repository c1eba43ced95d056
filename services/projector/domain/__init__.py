"""Timesheets: how one owner's presses add up to minutes, and which rules they break.

Pure: the standard library and `shared.events`; no clock, chance, pool, broker or settings.

    entry       a press, or an unreadable record, at its place on the log
    fold        what one entry amounts to: known, void, or settled, judged and evolved
    due/        what falls due without a press
    rules/      which rules a press breaks, in their order of answering
    effect      what an accepted press changes
    endings     how findings end with their interval
    outcomes    how the result is worded as an outcome
    sheet/      what is known of one owner, and how an outcome adds to it

Safe to change: rules and the limits they are given; presses are judged once, and old verdicts stand.
Never: rename a verdict or a rule. The names are stored, and other people's reports read them.
"""
