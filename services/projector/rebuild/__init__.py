"""Rebuild: the read models filled anew beside the live ones, compared with them, and put in their place.

    command     `python -m services.projector rebuild`, behind `stint rebuild`: the steps, and what each leaves behind
    schema      the tables beside the live ones: made, indexed, dropped
    filled      the store that fills them: the projector's own rows and queries, with COPY
    fill        from the judged stream; and the last outcomes, from the table
    compare     every row of both, at one place on the log
    switch      names exchanged in one transaction, under the locks of all tables
    told        what is said to the program that started this one
    queries     the .sql files of this room, by name

A rebuild needs no projector to stop. Projectors write the live schema, whatever stands in it, and stand still for the
moment of the switch.

Safe to change: sizes, and what is told. With care: `switch`; each of its steps says what it guards against.
Never: judge, or write a table outside the schema that is filled, before the switch.
"""
