"""Rebuild: the read models filled anew beside the live ones, compared with them, and put in their place.

    command     `python -m services.projector rebuild`, behind `stint rebuild`: the steps, and what each leaves behind
    schema      the tables beside the live ones: made, indexed, dropped
    fill        outcomes into them, from the judged stream; the last ones from the table `outcome`
    compare     every row of both, at one place on the log
    switch      names exchanged in one transaction, under the locks of all tables
    at_once     several pieces of work at the same time
    messages    lines of JSON for the program that started this one, and why a rebuild cannot go on
    queries     the .sql files of this room, by name

No projector has to stop for a rebuild. Projectors write into the live schema, whichever tables that is, and wait for
the moment of the switch.

Safe to change: sizes, and the messages. With care: `switch`; each of its steps says what it guards against.
Never: judge, or write a table outside the schema that is filled, before the switch.
"""
