"""The feed: a tenant's outcomes over HTTP, for those that have no Kafka (docs/contract.md, section 5).

One task reads `timer.outcomes.v1` once for all readers, and keeps the last outcomes in memory. Readers walk through
them at their own pace, and name the place where they go on by a position. The feed writes nothing, anywhere.

    tail             reads the judged stream, from before this process began, and for ever
    window/          the last outcomes in memory, positions, and how readers walk; no broker and no HTTP
    callers/         which tenant a token may read
    calls/           `GET /v1/feed` as JSON lines and as server-sent events
    metrics          what the feed tells Prometheus
    app, settings    wiring, and what it is wired with

Safe to change: limits. With care: `window`, because a gap or a repeat there is one for every reader.
Never: a reader that something else waits for, or an outcome for another tenant than its own.
"""
