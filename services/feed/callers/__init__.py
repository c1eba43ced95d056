"""Callers: which tenant a token may read. The same tokens as the command API's.

    callers    signed tokens by their signature unless their client was revoked, a person's by its row
    tokens     what Postgres knows of both

Safe to change: limits. Never: a difference between the answers to two unknown tokens.
"""
