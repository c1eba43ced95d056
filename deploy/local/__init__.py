"""The local stack: real Kafka and real Postgres on one machine, from wheels and jars, without Docker.

For a newcomer's `make run` and for the tests, which start the same `Stack` on ports and in a folder of their own.
Never for production: one broker, one copy of everything, passwords in files. Begin to read at `supervisor`.

    __main__                      what the Makefile calls: run, up, down, reset, status, logs
    supervisor                    one run from start to end
    keeper restarts               a part that died is started again, some times
    stack                         Kafka and Postgres together, also for the tests
    kafka jars                    the broker, and the jars that it runs from
    jars.lock                     each jar with its sum
    postgres                      the server
    services                      our own programs, and the settings that they get
    process                       one program: started, watched, ended
    machine                       what must hold before anything starts: free ports, room, wheels
    settings secrets              folders and ports; passwords and keys, made once
    lock identity interrupts      one run per folder; a process by pid and start; Ctrl-C
    watchdog leftovers orphans    what ends processes when a run could not
    trouble welcome               the line that a failed command prints; the lines when all is ready

Safe to change: anything. `make reset` deletes everything that this room creates.
Never: end a process by name. A process is ours when its pid *and* its start agree with what was written down.
"""
