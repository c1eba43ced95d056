"""What falls due without a press: findings that open or end, and automatic stops, each at its exact instant.

    settle       what fell due for an owner up to a moment, in time order
    deadlines    when each of these is due, for one interval that runs
    crossings    when the time of a local day reaches a limit
    estimates    when an owner's time on a job reaches the estimate
    together     how much time many running intervals add up to, without a loop over them
    alike        running timers in groups, of which one stands for all
    moved        crossings that a late press moves: told once more, without time
    days_off     which local days are not worked, and the hours of attendance

Everything here is a function of the sheet, of the policies by the moment at which each came into force, and of the
moment of the look. Nothing is remembered from one look to the next, so a second look finds the same, and opens nothing
twice. A sheet may know that a look finds nothing (`Quiet`): that follows from the sheet too, and each change of the
sheet drops it. It may have its running timers in groups (`Alike`): they save work, and change no result.

With care: an instant. It is the key of a finding, and other people's reports read it.
Never: a sample, or a float. Instants are computed, in whole microseconds.
"""
