"""Unit tests: the product's tree again, room by room. Whole values, no mocks, time is an argument.

    shared/ command_api/ projector/ stint_cli/ deploy/    a test lies where the code it is about lies

What several rooms use is in `tests/support`; what one room uses lies in it.
"""
