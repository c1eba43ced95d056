"""The rules that need history: each a small function of one case, which returns None, a flag or a refusal.

    case          a press, the timesheet before it, its timer, the policy; and what a rule may answer
    judge         all rules in the order in which they answer: what a press amounts to
    permission    who may press, whether timers are on, and what is legal in the timer's state
    times         times ahead of the log, behind it, or before the timer's last event
    day           days off, hours of attendance, the billable time of a day
    estimate      the owner's time on a job, over the estimate
    overlap       another timer of the owner at the same time

Safe to change: a rule, and the limits that it is given; presses are judged once, and old verdicts stand.
Never: a rule that remembers, or that reads a clock; a mode that refuses a stop.
"""
