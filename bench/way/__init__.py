"""The way: where a press that comes alone spends its time, from the client's write to its answer.

    __main__    `make bench-way`: one client presses, and each stage is printed with the time until it
    stamped     a service of ours that writes down when a press passes a stage
    stages      the stages of many presses, as a table

With care: `stamped` names functions of ours and of aiokafka. One that is gone ends the service at its start.
"""
