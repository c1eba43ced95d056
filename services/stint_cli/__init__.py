"""The operator's commands: `python -m services.stint_cli COMMAND`. Every command may be run again at any time.

Each command is a module of its own, and several of one word are a room (`policy/`). `tenants` and `policies` have the
functions that several commands and tests use.
Safe to change: what a command prints.
With care: `migrate` and `topics`. They run against databases and logs that hold people's minutes.
Never: a command that deletes from a log.
"""
