"""Places: where the readers of a log stand, and whether they move.

    partitions      the projectors: log, checkpoint, judged stream, and which projector has each partition
    commands        the APIs: commands of other services that none of them has settled yet
    moves           which places that have work do none of it

Never: a place that is moved. Here it is looked at, twice where one look proves nothing.
"""
