"""Auth: which client or person a token stands for.

    identities        the caller of a token, and new tokens for clients
    own_tokens        tokens that we made: signed ones are trusted by their signature, opaque ones are looked up
    people            persons and their aliases, for tokens of ours and from outside
    client_secrets    ids and secrets of clients, checked within bounds
    revocations       which clients of signed tokens were revoked, looked up once a minute
    clients           ids of clients that the broker has let in
    quotas            how often one client may call dialect A, and dialect C
    buckets           a burst, and then a rate, for each of many keys

Safe to change: how much is remembered, and for how long.
Never: an answer that differs for an unknown client and for a wrong secret, or 401 for a token that was not looked up.
"""
