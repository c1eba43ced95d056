"""What operators do by hand: `python -m services.stint_cli COMMAND`. Every command may be run again at any time.

Each command is a module of its own; `tenants` and `policies` hold what several of them, and tests, make use of.
Safe to change: what a command prints.
With care: `migrate` and `topics`. They run against databases and logs that hold people's minutes.
Never: a command that deletes from a log.
"""
