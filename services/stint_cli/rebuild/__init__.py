"""Rebuild: the read models filled anew, compared and switched. The projector's own program does it.

    commands    the arguments of `rebuild`, and what it prints at its end
    program     the projector's program, started, listened to, and ended with this one
    progress    what is drawn meanwhile

Safe to change: what is drawn. With care: `--json`, which programs read.
Never: a second way to write a read model. Services never import each other, and only the projector knows the tables.
"""
