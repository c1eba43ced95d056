"""Callers: which tenant a token may read. The same tokens as the command API's.

    callers       the caller of a token, which Stint or an identity provider made; whether it still is
    own_tokens    Stint's own tokens: signed ones by their signature unless their client was revoked, a person's by row
    tokens        what Postgres knows of both

Safe to change: limits. Never: a difference between the answers to two unknown tokens.
"""
