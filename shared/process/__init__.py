"""Process: how one process runs and ends.

    server     serving HTTP from the first request to the last, and ending within a limit
    logs       logs, settings from files, and an end that does not hang

With care: the order of an end. A step that hangs must not take its turn from the steps behind it.
Never: an end that waits for a broker without a limit.
"""
