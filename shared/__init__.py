"""What the services have in common: the contract, and how a process of ours runs. Imports no service.

    events/     the contract, pure: what other teams code against
    kafka/      how we speak with brokers, and keep speaking when they go away
    sql                 the queries of a service, one file each
    identity            secrets and tokens
    settings, tls       where the parts are, and how they are reached safely
    runtime, server     settings from files, logs; serving and ending

With care: everything here runs in every process.
"""
