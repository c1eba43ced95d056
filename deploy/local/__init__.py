"""The local stack: real Kafka and real Postgres on one machine, from wheels and jars, without Docker.

For a newcomer's `make run` and for the tests, which start the same `Stack` on ports and in a folder of their own.
Never for production: one broker, one copy of everything, passwords in files.
Safe to change: anything. `make reset` deletes everything that this room creates.
Never: end a process by name. A process is ours when its pid *and* its start agree with what was written down.
"""
