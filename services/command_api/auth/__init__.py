"""Auth: who is calling.

    identities        tokens: signed ones are believed by their signature, opaque ones are looked up and remembered
    client_secrets    ids and secrets of clients, checked within bounds
    bounded           how what is remembered stays small

Safe to change: how much is remembered, and how long.
Never: an answer that tells an unknown client from a wrong secret, or 401 for a token that nobody could look up.
"""
