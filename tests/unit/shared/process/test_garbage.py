"""A process that serves looks for garbage seldom, and never at what it was made of."""

import gc

from shared.process.garbage import collect_seldom

PYTHONS_OWN = (700, 10, 10)


def test_what_a_process_is_made_of_is_left_out_of_every_look() -> None:
    """The tests look as seldom themselves, so all is as Python has it first."""
    before = gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(*PYTHONS_OWN)
    try:
        collect_seldom()
        assert gc.get_freeze_count() > 1_000
        assert gc.get_threshold() > PYTHONS_OWN
    finally:
        gc.set_threshold(*before)
