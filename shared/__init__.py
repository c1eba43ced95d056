"""What the services have in common: the contract, and how a process of ours runs. Imports no service.

    events/     the contract, pure: what other teams code against
    kafka/      how we speak with brokers, and keep speaking when they go away
    process/    how one process runs and ends
    sql                 the queries of a service, one file each
    identity            secrets and tokens
    settings, tls       where the parts are, and how they are reached safely

With care: everything here runs in every process.
"""
