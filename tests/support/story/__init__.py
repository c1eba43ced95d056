"""Story: presses told in a line each, and the outcome of the last.

    given        given(started("desk", at="09:00")).when(paused("desk", at="09:25")).then(accepted())
    cells        each rule broken, held and left quiet, for each verb in each mode
    judged       the judged stream, as a feed reads it
    outcomes     an ordinary outcome, of which each test changes one thing
    commands     commands as another service writes them
    signing      tokens as an issuer signs them, and what may be wrong with one
    histories    logs of one partition as chance writes them; for properties
    documents    policies as chance writes them
    folded       a log taken through the product's fold in one go
    left         what the presses of a log leave, and what may differ between two logs of the same presses
    partition    one that was judged: its records, the policies, and the outcomes that a projector records
    presses      an ordinary press as headers and body, of which each test changes one thing

Safe to add: a verb. Never: a rule or a total computed here; the fold under test computes them.
"""
