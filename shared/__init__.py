"""What the services have in common: the contract, and how one process runs. Imports no service.

    events/          the contract, pure: what other teams code against
    kafka/           how we open brokers, and go on when they were away
    outside/         callers that identity providers vouch for
    packing/         how the body of an outcome is kept in its row
    process/         how one process runs and ends
    sql              the queries of a room, one file each
    identity         secrets and tokens
    bounded          how the memory of what strangers sent stays small
    addresses        whether an address of Kafka or Postgres can be read
    settings, tls    where Kafka and Postgres are, and how they are reached safely

With care: everything. It runs in every process.
Never: an import of a service.
"""
