"""Stack: real parts, and clients of them. Each module starts processes, or speaks with some.

    stacks containers         Kafka and Postgres, from this machine or from a Docker engine
    deployments beside        a stack that is migrated, with tenants and topics; a second set of read models
    crew holders              API processes and projectors; which projector has which partition
    traps trapped_projector   projectors that die or freeze at one point of one commit
    ways_in                   headers and numbers that callers of the published APIs use
    api patient traffic       clients of dialect C; one that waits longer; workers that press while a test breaks things
    terminals                 operators' commands, run as a shell would run them
    feed_reader               a client of the change feed
    other_service             a service that presses through Kafka, and is answered there
    debian                    programs that a test drives, out of Debian's packages: promtool, nginx
    raw_http                  HTTP byte by byte: requests that no client library would send
    foreign_presses           presses written straight onto the log, as a bug or another program might
    outside                   programs as other teams run them, with our wheel and without our repository
    logs waits until          the log as another client reads it; waiting for a checkpoint, or for any condition
    certificates manifests    a certificate authority; Kubernetes manifests as kustomize builds them

Safe to add: a client. With care: `crew`, because a standing process that a test leaves changed breaks the next test.
Never: a sleep where something can be asked.
"""
