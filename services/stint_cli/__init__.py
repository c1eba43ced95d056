"""The operator's command line, `stint`. Every command may be run again at any time.

    terminal/    what every command has: `--json`, an example, the exit status
    setup/       `migrate`, `topics`, `demo`, `prepare`
    directory/   `tenants`, `clients`, `persons`: who may press
    policy/      `policy get | put | history | holidays`
    watch/       `doctor`, `dead-letters`, `audit`: what runs, looked at and never touched
    rebuild/     `rebuild`: the read models filled anew and switched, by the projector's own program
    deployment/  what these stand on: tables, topics, P
    tenants      who may press: tenants, clients, persons and their tokens
    policies     tenants' policies on their topic
    brokers      Kafka's administration
    projector    the projector's own programs, each as a process beside this one
    database     the connection to Postgres
    settings     where Kafka and Postgres are
    run          settings, one command, and what went wrong in one line
    trouble      a problem that an operator has to solve, in one line
    store/       queries

A room has `commands`, whose functions are the commands; in `directory/` each module has its own. The modules here are
what several rooms and tests use.
`python -m services.stint_cli` is the module behind the script `deploy/stint`.
Safe to change: what a command prints for people. With care: `--json`, which programs read; `deployment/`.
Never: a command that deletes from a log.
"""
