"""Unit tests: the product's tree again, room by room. Whole values, no mocks, time is an argument.

    shared/ command_api/ projector/ stint_cli/ deploy/    a test lies where its code lies

Helpers of several rooms are in `tests/support`; helpers of one room lie in that room.
"""
