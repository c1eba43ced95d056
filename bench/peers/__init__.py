"""Peers: services that an honest engineer would write for the same two calls, with FastAPI and asyncpg.

    crud                 one row, inserted and updated
    crud_with_promises   the product's promises, kept in one transaction of Postgres for each press
    timers               what both have in common

Never: a peer made slower than it need be. A straw man proves nothing.
"""
