"""Story: presses told in a line each, and what came of the last.

    given        given(started("desk", at="09:00")).when(paused("desk", at="09:25")).then(accepted())
    histories    logs of one partition as chance writes them; for properties
    presses      an ordinary press as headers and body, from which each test departs in what it is about

Safe to add: a verb. Never: a rule or a total computed here; the fold under test computes them.
"""
