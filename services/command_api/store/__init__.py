"""Store: what the API asks Postgres, each query in a .sql file beside the function that runs it.

It reads and never writes. Nothing here is asked in order to refuse a command.
"""
