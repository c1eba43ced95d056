"""The deadline clock: a tick, "look now", for each owner for whom something falls due while nobody presses.

    clock     the rounds: read what is due on our LIVE partitions, send a tick for each owner
    sent      which ticks were sent, and when each is sent again
    looks     after a new policy: a tick for each owner with a running timer
    tick      one tick as a record of the log; pure

The clock decides nothing. A tick is a record of the log, and the fold judges whether anything fell due. So ticks that
are doubled, early, late or lost do no harm, and of two clocks on one partition neither needs to know the other.

Safe to change: waits and sizes. With care: `looks`, whose mark may only move after its ticks are acked.
Never: move a deadline. Its row moves in the commit that folds the tick.
"""
