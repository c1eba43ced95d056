"""The contract: events, envelope, ids, topics, outcome and policy, as other teams code against them.

Pure: the standard library, pydantic and tzdata; no clock, broker, pool or settings.
Safe to change: docstrings, and the addition of optional fields (readers first).
With care: anything that is written to a topic. A log cannot be renamed.
Never: the meaning of a field that exists. Add a `.v2` beside the `.v1`.
"""
