"""Peers: what an honest engineer would write, or take, for the same.

    crud                 one row, inserted and updated, with FastAPI and asyncpg
    crud_with_promises   the product's promises, kept in one transaction of Postgres for each press
    timers               what both have in common
    projection           a projection of the library `eventsourcing`, beside a rebuild

Never: a peer made slower than it need be. A straw man proves nothing.
"""
