"""A process that serves looks for garbage seldom, and never at what it was made of."""

import gc

from shared.process.garbage import look_seldom


def test_what_a_process_is_made_of_is_left_out_of_every_look() -> None:
    before = gc.get_threshold()
    try:
        look_seldom()
        assert gc.get_freeze_count() > 1_000
        assert gc.get_threshold() > before
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
