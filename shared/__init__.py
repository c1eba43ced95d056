"""What the services have in common: the contract, and how processes of ours are run. Imports no service.

    events/     the contract, pure: what other teams code against
    kafka, producer, feed, policies     how we speak with brokers, and keep speaking when they go away
    identity, runtime, server           secrets and tokens; logs; serving and ending

With care: everything here runs in every process.
"""
