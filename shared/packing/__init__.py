"""Packing: how a row keeps an outcome that has a timer, at a fifth of its size, and how a history's line is kept.

The body of an outcome without a timer stands in its row as text, and needs nothing of this room.

    bodies           a body to packed bytes, and back
    lines            a line of a history in fewer words, and whole again
    N.zdict          dictionary number N: the words of an outcome, as `python -m deploy.outcome_dictionary N` found them

Packed bytes are a Zstandard frame (RFC 8878), which names its dictionary by number. So every program that knows
Zstandard reads a row: `zstd -d -D shared/packing/1.zdict`.

Safe to change: nothing. With care: a new dictionary. One release brings it, and the next one packs with it, because
readers are upgraded first.
Never: a change to a dictionary, or its end. Rows that were packed with it could no longer be read.
"""
