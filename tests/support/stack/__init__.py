"""Stack: real parts, and clients of them. Everything here starts processes or speaks with some.

    stacks containers         Kafka and Postgres, from this machine or from a Docker engine
    deployments beside        a stack that is migrated, with tenants and topics; a second set of read models
    crew holders              API processes and projectors; which projector has which partition
    traps trapped_projector   projectors that die or freeze at one point of one commit
    api patient traffic       clients: dialect C, one that insists, people who work while a test breaks something
    raw_http                  HTTP byte by byte, for requests that no client library would send
    foreign_presses           presses straight onto the log, as a bug or a stranger might write them
    logs waits until          the log as another client reads it; waiting for a checkpoint, for any condition
    certificates manifests    an authority of one's own; Kubernetes manifests as kustomize builds them

Safe to add: a client. With care: `crew`; a test that leaves a standing process changed breaks the next test.
Never: a sleep where something can be asked.
"""
